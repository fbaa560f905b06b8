"""What the views of control plane, nodes and add-ons find, as causes beside those of the rules, nothing told twice.

And what they lack: a question that one of them must leave open is open for the whole cluster too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kcompanion.controlplane.survey import ASKS, Survey
from kcompanion.explain.judge import NotEvaluated
from kcompanion.explain.sweep import Beside, Sweep
from kcompanion.model.finding import Finding, Severity
from kcompanion.model.snapshot import Snapshot

_DNS = "Deployment/kube-system/coredns"
_PROXY = "DaemonSet/kube-system/kube-proxy"
_LIFE = frozenset({"KC5114", "KC5115", "KC5123"})  # what rules say of a node that does not answer, or is not ready
_ANY: frozenset[str] = frozenset()  # too few pods are ready: whatever cause those pods have, it is told there
# Findings that rules tell as well, where they see the same object, and the rules' codes.
_INSTEAD = {
    "KC1000": _LIFE,
    "KC2001": _LIFE,
    "KC2002": _LIFE,
    "KC2003": _LIFE,
    "KC2004": frozenset({"KC5116"}),
    "KC2005": frozenset({"KC5119"}),
    "KC1060": _ANY,
    "KC3002": _ANY,
    "KC3003": _ANY,
    "KC3005": _ANY,
    "KC3012": _ANY,
    "KC3020": _ANY,
    "KC3050": _ANY,
}
# What two views tell: the first is left out where one of the others is told of the same object.
_TWICE = {
    "KC1060": ("KC3002", "KC3003", "KC3020"),
    "KC2012": ("KC1031",),
    "KC3005": ("KC3002",),
}
# Components of the control plane's view, as the objects that the other views name.
_OBJECTS = {"dns": _DNS, "kube-proxy": _PROXY, "kubelet": "Node/{node}"}


def beside_rules(found: Survey) -> list[Beside]:
    """Warnings and worse of all views, each matter once; the sweep leaves out what rules tell already."""
    return _once(finding for finding in found.findings if finding.severity is not Severity.INFO)


def with_open_questions(swept: Sweep, found: Survey, snapshot: Snapshot) -> Sweep:
    """A sweep that also names what a view lacked, where the view could not decide for it."""
    if not found.undecided:
        return swept
    known = {one.gap.what for one in swept.not_evaluated}
    lacking = (gap for gap in snapshot.gaps(ASKS) if gap.decisive and gap.what not in known)
    return replace(swept, not_evaluated=(*swept.not_evaluated, *(NotEvaluated("*", "views", gap) for gap in lacking)))


def _once(findings: Iterable[Finding]) -> list[Beside]:
    about = [(finding, _object(finding)) for finding in findings]
    told = {(finding.code, subject) for finding, subject in about}
    return [
        Beside(replace(finding, rank=0), subject, _INSTEAD.get(finding.code))
        for finding, subject in about
        if not any((code, _within(finding, subject)) in told for code in _TWICE.get(finding.code, ()))
    ]


def _within(finding: Finding, subject: str) -> str:
    """Where another view tells it: the Service of DNS has no addresses because its pods are not ready."""
    return _DNS if finding.code == "KC3005" else subject


def _object(finding: Finding) -> str:
    """The object a finding is about; where it names a component or a product, the node or workload of it."""
    kind, _, rest = finding.subject.partition("/")
    if kind in _OBJECTS:
        return _OBJECTS[kind].format(node=rest)
    if kind in ("CNI", "Addon") and finding.evidence:
        workload, _, place = finding.evidence[0].source.partition(" ")
        return f"{workload}/{place}"
    return finding.subject
