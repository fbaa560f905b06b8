"""Images that cannot be pulled, checked or mounted: group B, 31 to 40, of the taxonomy."""

from __future__ import annotations

from kcompanion.explain.rule import RuleBook

BOOK = RuleBook("rule_image")
