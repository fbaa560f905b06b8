"""Volumes, claims and what hangs behind them: group H of the taxonomy."""

from __future__ import annotations

from kcompanion.explain.rule import RuleBook

BOOK = RuleBook("rule_volume")
