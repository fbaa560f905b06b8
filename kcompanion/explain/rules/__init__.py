"""The rules, a module for each part of the failure taxonomy; `kcompanion.explain.book` gathers them."""
