"""Who wrote which fields of an object, from its managedFields.

An entry is what one manager (in one way, through one subresource) owns *now*: the last manager of those fields, not
proof of who wrote them first. Fields that another manager has taken over since are not in it any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.model.fields import annotations_of, map_at, maps_at, text_at
from kcompanion.model.snapshot import Object

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
CLIENT_SIDE = "kubectl-client-side-apply"
SHOWN = 6  # fields of one writer that are named
# Programs of the control plane and of nodes; whoever else writes is a person or a program of theirs.
SYSTEM = frozenset(
    {"kube-controller-manager", "kube-scheduler", "kubelet", "kube-apiserver", "cloud-controller-manager", "kube-proxy"}
)


# How many pieces of a path name a branch well: `spec.template.spec.containers[web]`, `spec.replicas`.
_DEPTH = {"template": 5, "jobTemplate": 7, "containers": 3, "initContainers": 3, "ports": 3}


@dataclass(frozen=True)
class Writer:
    """One entry of managedFields."""

    manager: str
    operation: str  # Apply (declarative, on the server) or Update
    subresource: str
    time: str
    fields: tuple[str, ...]  # paths of leaves, joined where a whole branch is owned

    @property
    def how(self) -> str:
        """`apply` (the server keeps track), `client_apply` (kubectl does), `update` (imperative), `system`."""
        if self.operation == "Apply":
            return "apply"
        if self.manager == CLIENT_SIDE:
            return "client_apply"
        return "system" if self.manager in SYSTEM else "update"

    @property
    def summary(self) -> str:
        """The fields, shortened: the deepest common branches first, the rest counted."""
        tops = _branches(self.fields)
        more = len(tops) - SHOWN
        return ", ".join(tops[:SHOWN]) + (f" +{more}" if more > 0 else "")

    def to_json(self) -> dict[str, Any]:
        return {
            "manager": self.manager,
            "operation": self.operation,
            "subresource": self.subresource or None,
            "time": self.time or None,
            "how": self.how,
            "fields": list(self.fields),
        }


def writers(item: Object) -> tuple[Writer, ...]:
    """Every entry, the earliest first."""
    found = [
        Writer(
            text_at(entry, "manager"),
            text_at(entry, "operation"),
            text_at(entry, "subresource"),
            text_at(entry, "time"),
            tuple(sorted(leaves(map_at(entry, "fieldsV1")))),
        )
        for entry in maps_at(item, "metadata", "managedFields")
    ]
    return tuple(sorted(found, key=lambda w: (w.time, w.manager, w.subresource, w.operation)))


def leaves(fields: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The paths of a FieldsV1: `f:` is a field, `k:` an entry of a list by its key, `v:` by its value."""
    below = {key: value for key, value in fields.items() if key != "."}
    if not below:
        if path:
            yield path
        return
    for key, value in below.items():
        yield from leaves(value if isinstance(value, Mapping) else {}, path + _step(key, first=not path))


def _step(key: str, *, first: bool) -> str:
    sort, _, rest = key.partition(":")
    if sort == "f":
        # names of labels and the like hold dots of their own
        return f"[{rest}]" if "." in rest or "/" in rest else rest if first else f".{rest}"
    if sort == "k":
        return f"[{_key_of_entry(rest)}]"
    return "[…]"


def _key_of_entry(text: str) -> str:
    """`{"name":"web"}` as `web`, `{"containerPort":80,"protocol":"TCP"}` as `80,TCP`."""
    import json  # noqa: PLC0415 - only for lists

    try:
        keys = json.loads(text)
    except ValueError:
        return "…"
    return ",".join(str(value)[:60] for value in keys.values()) if isinstance(keys, dict) else "…"


def _branches(paths: Sequence[str]) -> list[str]:
    """Paths cut so that one line names them: `spec.template.spec.containers[web]`, `spec.replicas`."""
    cut = []
    for path in paths:
        pieces = path.replace("[", ".[").split(".")
        kept = _DEPTH.get(pieces[1] if len(pieces) > 1 else "", 2)
        cut.append(".".join(pieces[:kept]).replace(".[", "["))
    return list(dict.fromkeys(cut))


@dataclass(frozen=True)
class Declared:
    """How an object is kept: by which kind of apply, and who else wrote since."""

    server: tuple[str, ...]  # managers that use server-side apply
    client: bool  # kubectl keeps what was applied in an annotation
    applied_at: str  # the latest apply of either kind
    others: tuple[Writer, ...]  # writes of others after that: people's, and the control plane's into the spec
    shared: tuple[str, ...]  # fields that an applier and somebody else own together

    @property
    def declarative(self) -> bool:
        return bool(self.server) or self.client

    def to_json(self) -> dict[str, Any]:
        return {
            "serverSideAppliers": list(self.server),
            "clientSideApply": self.client,
            "appliedAt": self.applied_at or None,
            "writersSince": [writer.manager for writer in self.others],
            "fieldsSince": sorted({field for writer in self.others for field in writer.fields}),
            "sharedFields": list(self.shared),
        }


def declared(item: Object) -> Declared:
    """What managedFields and the annotation of client-side apply tell about apply."""
    found = writers(item)
    appliers = [w for w in found if w.how in ("apply", "client_apply")]
    applied = max((w.time for w in appliers), default="")
    rest = [w for w in found if w not in appliers and w.subresource != "status"]
    theirs = {field for w in appliers for field in w.fields}
    return Declared(
        tuple(sorted({w.manager for w in appliers if w.how == "apply"})),
        LAST_APPLIED in annotations_of(item) or any(w.how == "client_apply" for w in appliers),
        applied,
        tuple(w for w in rest if w.time >= applied and _counts(w)) if appliers else (),
        tuple(sorted(theirs & {field for w in rest for field in w.fields})),
    )


def _counts(writer: Writer) -> bool:
    """Whether a next apply could set back what it wrote: controllers' notes in annotations it could not."""
    return writer.how == "update" or any(field.startswith("spec") for field in writer.fields)
