"""Owners that are odd, gone or in a fight: group L of the taxonomy."""

from __future__ import annotations

from kcompanion.explain.rule import RuleBook

BOOK = RuleBook("rule_ownership")
