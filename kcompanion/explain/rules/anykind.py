"""Any object by its conditions and finalizers."""

from __future__ import annotations

from kcompanion.explain.rule import RuleBook

BOOK = RuleBook("rule_any")
