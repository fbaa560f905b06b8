"""Pods that the kubelet of their node refuses: group E of the taxonomy."""

from __future__ import annotations

from kcompanion.explain.rule import RuleBook

BOOK = RuleBook("rule_rejection")
