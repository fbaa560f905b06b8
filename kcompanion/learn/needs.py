"""What lessons need before they begin: one table of needs and how each is known, and the rights to send what they send.

A need is a question to the API server or to a program of this machine, and a test of what comes back. A refusal or a
failure is no answer: then it is not known whether the need is met. Rights are not declared: they follow from the
lesson's own requests, so no lesson can forget one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kcompanion.access.rights import Right, access_review, widest
from kcompanion.installation.manifests import SELECTOR
from kcompanion.learn.answers import Request
from kcompanion.learn.fill import shown
from kcompanion.learn.lesson import APPLY, Lesson, Send
from kcompanion.learn.perform import plan, values
from kcompanion.learn.protocol import Setting
from kcompanion.model import resources as r
from kcompanion.model.ask import Outcome, outcome_of
from kcompanion.model.fields import annotations_of, condition, dig, labels_of, maps_at, name_of, text_at
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Gap

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
FORBIDDEN = 403
_REPELS = ("NoSchedule", "NoExecute")
RIGHTS = frozenset({"own_namespace", "node_rights", "rights"})
_ANSWERED = {"GET": (Outcome.OK, Outcome.ABSENT), "POST": (Outcome.OK,)}
_VERBS = {"POST": "create", "EXEC": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True)
class Command:
    """A program of this machine and its arguments."""

    argv: tuple[str, ...]


@dataclass(frozen=True)
class Reply:
    """What came back: HTTP status and JSON, or exit code (127: there is no such program) and what was printed."""

    status: int
    body: Any


Asked = Request | Command
Ask = Callable[[Asked], Reply]


@dataclass(frozen=True)
class Need:
    """What is asked, and whether the replies, in the same order, meet the need. Texts: `learn.need…`, `learn.do…`."""

    asks: tuple[Asked, ...]
    met: Callable[..., bool]


@dataclass(frozen=True)
class Unmet:
    """A need that is not met, and what helps; with gaps it is not known whether it is met."""

    id: str
    told: Message
    do: Message
    gaps: tuple[Gap, ...] = ()

    @property
    def known(self) -> bool:
        """Whether it is surely not met."""
        return not self.gaps

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "told": self.told.to_json(), "do": self.do.to_json(), "known": self.known}


def open_questions(lacks: Sequence[Unmet]) -> tuple[Gap, ...]:
    """Why it is not known whether a lesson can run; nothing where that is known."""
    if any(one.known for one in lacks):
        return ()
    return tuple(dict.fromkeys(gap for one in lacks for gap in one.gaps))


def _ready_workers(nodes: object) -> list[Mapping[str, Any]]:
    """Nodes that take pods which tolerate nothing."""
    return [
        node
        for node in maps_at(nodes, "items")
        if condition(node, "Ready").get("status") == "True"
        and dig(node, "spec", "unschedulable") is not True
        and not any(taint.get("effect") in _REPELS for taint in maps_at(node, "spec", "taints"))
    ]


def _tainted(nodes: object) -> bool:
    taints = (taint for node in maps_at(nodes, "items") for taint in maps_at(node, "spec", "taints"))
    return any(taint.get("effect") == "NoSchedule" for taint in taints)


def _kind(nodes: Reply, containers: Reply) -> bool:
    """All nodes are containers that docker on this machine runs for kind."""
    here = set(str(containers.body).split())
    items = list(maps_at(nodes.body, "items"))
    named = {name_of(node) for node in items if text_at(node, "spec", "providerID").startswith("kind://")}
    return containers.status == 0 and bool(items) and len(named) == len(items) and named <= here


def _masters(nodes: object) -> int:
    return sum(_CONTROL_PLANE in labels_of(node) for node in maps_at(nodes, "items"))


def _right(right: Right) -> Request:
    review = access_review(right)
    body = {"apiVersion": r.ACCESS_REVIEW.api_version, "kind": r.ACCESS_REVIEW.kind, "spec": json.loads(review.body)}
    return Request("POST", r.ACCESS_REVIEW.path(), body)


def _may(verb: str, resource: r.Resource) -> Need:
    return Need((_right(Right("", resource.group, resource.plural, verb)),), _allowed)


def _allowed(answer: Reply) -> bool:
    return dig(answer.body, "status", "allowed") is True


_NODES = Request("GET", r.NODES.path())
_SYSTEM_PODS = Request("GET", f"{r.PODS.path('kube-system')}?labelSelector=tier%3Dcontrol-plane")
_KIND_CONTAINERS = Command(("docker", "ps", "--filter", "label=io.x-k8s.kind.cluster", "--format", "{{.Names}}"))
# Found, not imported: on a busy machine the import takes longer than anybody waits for an answer.
_FINDS = "from importlib.util import find_spec as f; raise SystemExit(not (f('kopf') and f('operators.replicaset')))"
_OPERATOR_HERE = Command((sys.executable, "-c", _FINDS))
_OPERATORS = Request("GET", f"{r.DEPLOYMENTS.path()}?labelSelector={SELECTOR}")
_CRD = Request("GET", f"/apis/{r.COMPANIONREPLICASETS.api_version}")
_MAY_MAKE_CRDS = _right(Right("", r.CRDS.group, r.CRDS.plural, "create"))

NEEDS: Mapping[str, Need] = {
    "own_namespace": _may("create", r.NAMESPACES),
    "nodes": Need((_NODES,), lambda nodes: nodes.status == 200),
    "node_rights": _may("patch", r.NODES),
    "tainted_node": Need((_NODES,), lambda nodes: _tainted(nodes.body)),
    "two_workers": Need((_NODES,), lambda nodes: len(_ready_workers(nodes.body)) >= 2),
    "storage_class": Need(
        (Request("GET", r.STORAGECLASSES.path()),),
        lambda classes: any(annotations_of(c).get(DEFAULT_CLASS) == "true" for c in maps_at(classes.body, "items")),
    ),
    "control_plane": Need((_SYSTEM_PODS,), lambda pods: any(maps_at(pods.body, "items"))),
    "etcd_pod": Need(
        (_SYSTEM_PODS,),
        lambda pods: any(labels_of(pod).get("component") == "etcd" for pod in maps_at(pods.body, "items")),
    ),
    "kubectl": Need((Command(("kubectl", "version", "--client")),), lambda program: program.status == 0),
    "operator": Need((_OPERATOR_HERE,), lambda program: program.status == 0),
    "no_operator": Need((_OPERATORS,), lambda found: found.status == 200 and not any(maps_at(found.body, "items"))),
    "crd": Need((_CRD, _MAY_MAKE_CRDS), lambda served, right: served.status == 200 or _allowed(right)),
    "kind": Need((_NODES, _KIND_CONTAINERS), _kind),
    "ha": Need((_NODES,), lambda nodes: _masters(nodes.body) >= 3),
}


def unmet(lesson: Lesson, setting: Setting, ask: Ask) -> Iterator[Unmet]:
    """What the lesson needs and lacks: its needs in their order, then the rights that it lacks, as one."""
    for word in lesson.needs:
        need = NEEDS[word]
        replies = [ask(asked) for asked in need.asks]
        if not need.met(*replies):
            gaps = _gaps(zip(need.asks, replies, strict=True))
            yield Unmet(word, say(f"learn.need.{word}"), say(f"learn.do.{word}"), gaps)
    asked = [(right, _right(right)) for right in rights(lesson, setting)]
    wanting = [(right, review, ask(review)) for right, review in asked if not _allowed(ask(review))]
    if wanting:
        denied = [right for right, _, reply in wanting if outcome_of(reply.status) is Outcome.OK]
        gaps = () if denied else _gaps((review, reply) for _, review, reply in wanting)
        what = by_verb(denied or [right for right, _, _ in wanting], setting.namespace)
        yield Unmet("rights", say("learn.need.rights", what=what), say("learn.do.rights"), gaps)


def questions(lesson: Lesson, setting: Setting) -> tuple[Request, ...]:
    """What is asked of the API server before a run, each question once: the needs, then the rights."""
    asked = [one for word in lesson.needs for one in NEEDS[word].asks if isinstance(one, Request)]
    asked += [_right(right) for right in rights(lesson, setting)]
    return tuple(one for number, one in enumerate(asked) if one not in asked[:number])


def _gaps(answered: Iterable[tuple[Asked, Reply]]) -> tuple[Gap, ...]:
    """What was asked of the API server and not learnt. That there is no such thing is an answer to who looks for it."""
    gaps: dict[Gap, None] = {}
    for asked, reply in answered:
        if isinstance(asked, Request) and outcome_of(reply.status) not in _ANSWERED[asked.method]:
            gaps[gap(asked, outcome_of(reply.status), text_at(reply.body, "message"))] = None
    return tuple(gaps)


def gap(request: Request, outcome: Outcome, detail: str) -> Gap:
    """What a request left open, named by the right that it takes."""
    right = next(rights_of(request), Right())
    outcome = Outcome.UNSUPPORTED if outcome is Outcome.ABSENT else outcome
    return Gap(right.text.strip() or request.path, outcome, detail, right.verb, right.resource)


def by_verb(denied: Iterable[Right], own: str) -> str:
    """`create pods, configmaps; get pods`; a namespace is named where it is not the lesson's own."""
    grouped: dict[str, list[str]] = {}
    for right in denied:
        what = replace(right, verb="", namespace="" if right.namespace == own else right.namespace)
        grouped.setdefault(right.verb, []).append(what.text.strip())
    return "; ".join(f"{verb} {', '.join(dict.fromkeys(what))}" for verb, what in sorted(grouped.items()))


def rights(lesson: Lesson, setting: Setting) -> tuple[Right, ...]:
    """What has to be allowed to send what the lesson sends as the user, and to take it back."""
    made = (Request("POST", r.NAMESPACES.path()), Request("DELETE", r.NAMESPACES.path(None, setting.namespace)))
    asked = list(made if setting.own else ())
    for _, acts in plan(lesson, setting):
        for act, request in acts:
            if isinstance(act, Send) and FORBIDDEN in act.status:  # the lesson does without
                continue
            asked += [] if request.credentials else [request]
            if isinstance(act, Send) and act.undo is not None:
                asked.append(Request(act.undo.method, shown(act.undo.path, values(setting))))
    return tuple(sorted({right for request in asked for right in rights_of(request)}))


def rights_of_all(lessons: Iterable[Lesson]) -> tuple[Right, ...]:
    """What all lessons together need, in whatever namespaces they make for themselves."""
    setting = Setting("", "own", own=True, image="")
    found = (right for lesson in lessons for right in rights(lesson, setting))
    return widest(replace(one, namespace="") if one.namespace.startswith(setting.namespace) else one for one in found)


def rights_of(request: Request) -> Iterator[Right]:
    """The rights that a request needs; what is no resource (discovery, health) everybody may read."""
    path = request.path.partition("?")[0].strip("/").split("/")
    group, words = ("", path[2:]) if path[0] == "api" else (path[1] if len(path) > 1 else "", path[3:])
    namespace = ""
    if words[:1] == ["namespaces"] and len(words) > 2:
        namespace, words = words[1], words[2:]
    if path[0] not in ("api", "apis") or not words:
        return
    verb = _VERBS.get(request.method) or ("get" if len(words) > 1 else "list")
    verb = "deletecollection" if (verb, len(words)) == ("delete", 1) else verb
    where = "" if namespace.startswith("<") else namespace  # that of an object not yet known: everywhere, to be sure
    yield Right(where, group, "/".join((words[0], *words[2:3])), verb)
    if request.content_type == APPLY:
        yield Right(where, group, words[0], "create")
