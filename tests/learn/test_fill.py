"""Placeholders: what is known is put in, what is not is named."""

from __future__ import annotations

import pytest

from kcompanion.learn.fill import NotThere, at, fill, shown

VALUES = {"ns": "shop", "pods": {"items": [{"metadata": {"name": "web-1"}}]}, "count": {"replicas": 3}}


def test_a_whole_placeholder_keeps_the_type() -> None:
    assert fill({"spec": {"replicas": "{count.replicas}"}}, VALUES) == {"spec": {"replicas": 3}}


def test_inside_a_text_it_becomes_text() -> None:
    assert fill("/namespaces/{ns}/pods/{pods.items.0.metadata.name}", VALUES) == "/namespaces/shop/pods/web-1"
    assert fill(["{count.replicas} pods", 7, None], VALUES) == ["3 pods", 7, None]


@pytest.mark.parametrize("path", ["nobody", "pods.items.1", "pods.items.x", "ns.length", "count.replicas.0"])
def test_what_is_missing_is_named(path: str) -> None:
    with pytest.raises(NotThere, match=path):
        at(VALUES, path)
    assert shown(f"a {{{path}}}", VALUES) == f"a <{path}>"


def test_braces_that_are_no_placeholder_stay() -> None:
    assert fill('{"a": 1} {} {Not}', VALUES) == '{"a": 1} {} {Not}'
