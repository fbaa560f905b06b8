"""Phases, conditions and reasons of whole pods: group A of the taxonomy."""

from __future__ import annotations

from kcompanion.explain.rule import RuleBook

BOOK = RuleBook("rule_phase")
