"""The name of one object: its kind, namespace and name, as sentences, findings and commands write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.model.fields import name_of, namespace_of


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """`Pod shop/web-1` in sentences and evidence, `Pod/shop/web-1` as a finding's subject."""

    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.place}"

    @property
    def place(self) -> str:
        """`shop/web-1`, or the bare name of an object without a namespace."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def subject(self) -> str:
        return f"{self.kind}/{self.place}"

    @property
    def kubectl(self) -> str:
        """The words that name it to kubectl: `pod/web-1 -n shop`."""
        words = f"{self.kind.lower()}/{self.name}"
        return f"{words} -n {self.namespace}" if self.namespace else words


def ref_of(item: Mapping[str, Any], kind: str) -> Ref:
    """The Ref of an object; lists leave `kind` out of their items, so the caller has to know it."""
    return Ref(kind, name_of(item), namespace_of(item))


def parse_ref(subject: str) -> Ref:
    """A Ref from a finding's subject, `Pod/shop/web-1` or `Node/worker-1`."""
    kind, _, place = subject.partition("/")
    namespace, _, name = place.rpartition("/")
    return Ref(kind, name, namespace)
