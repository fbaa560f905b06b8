"""Nodes that are not well, and what is on them: group G of the taxonomy."""

from __future__ import annotations

from kcompanion.explain.rule import RuleBook

BOOK = RuleBook("rule_node")
