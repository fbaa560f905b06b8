"""A ReplicaSet by hand: an object is only a wish until a controller runs, which then catches up with what it missed."""

from __future__ import annotations

import json
from typing import Any

from kcompanion.installation.manifests import manifests
from kcompanion.learn.answers import Answers
from kcompanion.learn.conditions import all_ready, counted, live, names, reached, there
from kcompanion.learn.lesson import Claim, Lesson, Pick, Send, Step, Undo, Wait
from kcompanion.learn.mark import LESSON as MARK
from kcompanion.learn.objects import replicas
from kcompanion.learn.tools import account, kubeconfig, start, stop, ticket
from kcompanion.learn.verbs import NS, create, delete, hold_all, read, wait, wait_all
from kcompanion.model.fields import dig, maps_at, name_of, text_at
from kcompanion.model.resources import CLUSTERROLES, COMPANIONREPLICASETS, CRDS, PODS, ROLEBINDINGS, ROLES
from kcompanion.reconcile.target import COMPANION

_WEB = "app%3Dweb"
_SHIPPED = {item["kind"]: item for item in manifests(COMPANION)}
_KIND = _SHIPPED[CRDS.kind]
_RULES = _SHIPPED[CLUSTERROLES.kind]["rules"]
_GROUP = f"/apis/{COMPANIONREPLICASETS.api_version}"
# Only what this run made carries its label: a kind that was there before stays.
_OURS = f"{CRDS.path()}?labelSelector={MARK}%3D{{run}}"
_RUN = ("operator", "run", "-n", NS, "--leader-elect", "false", "--listen", "127.0.0.1:0")
_ROLE = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "controller"}
_ACCOUNT = {"kind": "ServiceAccount", "name": "controller", "namespace": NS}


def _owner(pod: Any) -> Any:  # noqa: ANN401 - JSON
    return next(one for one in maps_at(pod, "metadata", "ownerReferences") if one.get("controller") is True)


def _writers(item: object) -> list[str]:
    """Who wrote the status."""
    entries = maps_at(item, "metadata", "managedFields")
    return sorted({text_at(entry, "manager") for entry in entries if entry.get("subresource") == "status"})


def _new(a: Answers) -> list[str]:
    return [name for name in names(a["again"]) if name not in names(a["pods"])]


def _decision(a: Answers, name: str) -> Any:  # noqa: ANN401 - JSON
    """The operator's first decision to make pods, from its log."""
    told = (line.partition(" ")[2] for line in a[name]["out"].splitlines() if line.startswith("reconciled "))
    decisions = (json.loads(one)["decision"] for one in told)
    return next(one for one in decisions if one["plan"]["action"] == "create")


LESSON = Lesson(
    "by-hand",
    2,
    (
        Step(
            "wish",
            (
                Send("kind", "POST", CRDS.path(), _KIND, (201, 403, 409), undo=Undo("DELETE", _OURS)),
                Wait("served", f"{_GROUP}/namespaces/{NS}/{COMPANIONREPLICASETS.plural}", there(), 60.0),
                create("wish", COMPANIONREPLICASETS, replicas("web", 2)),
                hold_all("nothing", PODS, _WEB, counted(0), 5.0),
                read("unmet", COMPANIONREPLICASETS, "web"),
            ),
            (
                Claim(
                    "stored",
                    lambda a: a["wish"]["spec"]["replicas"] == 2,
                    ("wish.kind", "wish.spec.replicas", "wish.spec.selector.matchLabels"),
                ),
                Claim(
                    "nobody_reads_it",
                    lambda a: (
                        a["nothing"]["items"] == []
                        and dig(a["unmet"], "status", "observedGeneration") is None
                        and a["unmet"]["spec"]["replicas"] == 2
                    ),
                    ("nothing.items", "unmet.status"),
                ),
            ),
        ),
        Step(
            "controller",
            (
                account("account", "controller"),
                create("role", ROLES, {"metadata": {"name": "controller"}, "rules": _RULES}),
                create(
                    "binding",
                    ROLEBINDINGS,
                    {"metadata": {"name": "controller"}, "roleRef": _ROLE, "subjects": [_ACCOUNT]},
                ),
                ticket("ticket", "controller"),
                kubeconfig("config", "{ticket.status.token}", {"controller": NS}, "controller"),
                start("started", "kcompanion", *_RUN),
                wait_all("pods", PODS, _WEB, all_ready(2), 180.0),
                wait("met", COMPANIONREPLICASETS, "web", reached("", status__readyReplicas=2), 60.0, managed=True),
            ),
            (
                Claim(
                    "made",
                    lambda a: (
                        len(live(a["pods"])) == 2
                        and all(_owner(pod)["uid"] == a["wish"]["metadata"]["uid"] for pod in live(a["pods"]))
                    ),
                    ("wish.metadata.uid", "pods.items.0.metadata.ownerReferences.0.uid"),
                ),
                Claim(
                    "reported",
                    lambda a: a["met"]["status"]["readyReplicas"] == 2 and bool(_writers(a["met"])),
                    ("met.status.replicas", "met.status.readyReplicas"),
                    lambda a: {"who": ", ".join(_writers(a["met"]))},
                ),
            ),
        ),
        Step(
            "stopped",
            (
                stop("stopped", "kcompanion"),
                Pick("victim", lambda a: name_of(live(a["pods"])[0])),
                delete("deleted", PODS, "{victim}"),
                hold_all("one_short", PODS, _WEB, counted(1), 5.0),
                read("stale", COMPANIONREPLICASETS, "web"),
            ),
            (
                Claim("ended", lambda a: a["stopped"]["code"] == 0, ("stopped.code",)),
                Claim("stays_short", lambda a: len(live(a["one_short"])) == 1, ("victim", "stale.spec.replicas")),
                Claim(
                    "status_is_memory",
                    lambda a: a["stale"]["status"]["readyReplicas"] == 2,
                    ("stale.status.readyReplicas",),
                ),
            ),
        ),
        Step(
            "again",
            (
                start("restarted", "kcompanion", *_RUN),
                wait_all("again", PODS, _WEB, all_ready(2), 180.0),
                stop("ended", "kcompanion"),
                Pick("decision", lambda a: _decision(a, "ended")),
            ),
            (
                Claim(
                    "caught_up",
                    lambda a: len(_new(a)) == 1 and a["victim"] not in names(a["again"]) and a["ended"]["code"] == 0,
                    ("victim",),
                    lambda a: {"new": _new(a)[0], "ms": a.ms("again") - a.ms("restarted")},
                ),
                Claim(
                    "by_comparing",
                    lambda a: (
                        a["decision"]["desired"] - a["decision"]["observed"]["active"]
                        == a["decision"]["plan"]["count"]
                        == 1
                    ),
                    ("decision.desired", "decision.observed.active", "decision.created.first", "decision.wokenBy"),
                    lambda a: {
                        "wanted": a["decision"]["desired"],
                        "seen": a["decision"]["observed"]["active"],
                        "made": a["decision"]["plan"]["count"],
                    },
                ),
            ),
        ),
    ),
    rows=("S12", "S45"),
    needs=("operator", "no_operator", "crd"),
    touches=("namespace", "crd", "program"),
)
