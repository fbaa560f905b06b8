"""The way from a Service or Ingress to its pods: group M of the taxonomy."""

from __future__ import annotations

from kcompanion.explain.rule import RuleBook

BOOK = RuleBook("rule_service")
