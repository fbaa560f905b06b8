"""Controllers that cannot make their pods, or are not done: group K of the taxonomy."""

from __future__ import annotations

from kcompanion.explain.rule import RuleBook

BOOK = RuleBook("rule_controller")
