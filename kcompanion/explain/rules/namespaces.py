"""Namespaces."""

from __future__ import annotations

from kcompanion.explain.rule import RuleBook

BOOK = RuleBook("rule_namespace")
