"""etcd's quorum: with one member of three lost all goes on, with two nothing; and nothing is lost when they return."""

from __future__ import annotations

from typing import Any

from kcompanion.learn.answers import Answers
from kcompanion.learn.conditions import custom, ready
from kcompanion.learn.lesson import Claim, Lesson, Pick, Send, Step, Wait
from kcompanion.learn.machines import LONG, SYSTEM, ended, etcdctl, look, look_until, put_back, take_away, written
from kcompanion.learn.verbs import NS, create
from kcompanion.model.fields import maps_at, name_of, text_at
from kcompanion.model.resources import CONFIGMAPS, PODS

_PODS = PODS.path(SYSTEM) + "?labelSelector=component%3Detcd"
_STATUS = etcdctl("endpoint", "status", "--write-out=json")
_GONE = ("pgrep", "-x", "etcd")
# How kubectl ends when the API server waits for etcd in vain, or has etcd's own refusal.
_UNANSWERED = ("Client.Timeout exceeded while awaiting headers", "context deadline exceeded", "etcdserver:")
# The API server of the node itself: the load balancer sends nobody to one that is not ready.
_KUBECTL = (
    "kubectl",
    "--kubeconfig=/etc/kubernetes/admin.conf",
    "--server=https://127.0.0.1:6443",
    "--request-timeout=10s",
    "--namespace={ns}",
)


def _key(name: str) -> str:
    return f"/registry/configmaps/{{ns}}/{name}"


def _local(name: str) -> tuple[str, ...]:
    """What the member on a node has, asked of it alone: it need not know whether that is the newest."""
    return etcdctl("get", _key(name), "--consistency=s", "--write-out=json")


def _leader(body: Any) -> int:  # noqa: ANN401 - JSON
    """The leader that a member knows; 0 is none, and etcdctl leaves zeros out."""
    [one] = body["out"]
    return int(one["Status"].get("leader", 0))


def _no_quorum(answer: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether a request ended because etcd did not answer; any other error tells nothing of a quorum."""
    return answer["code"] == 1 and any(sign in answer["err"] for sign in _UNANSWERED)


def _led(status: int, body: object) -> bool:
    return status == 0 and _leader(body) != 0


def _leaderless(status: int, body: object) -> bool:
    return status == 0 and _leader(body) == 0


def _revision(a: Answers, name: str) -> int:
    [one] = a[name]["out"]["kvs"]
    return int(one["mod_revision"])


def _version(a: Answers, name: str) -> int:
    return int(a[name]["metadata"]["resourceVersion"])


def _etcd_back(name: str, node: str) -> Wait:
    return Wait(name, PODS.path(SYSTEM, f"etcd-{node}"), ready(), LONG)


LESSON = Lesson(
    "etcd-quorum",
    3,
    (
        Step(
            "three",
            (
                create("first", CONFIGMAPS, {"metadata": {"name": "first"}, "data": {"kept": "yes"}}),
                Send("pods", "GET", _PODS),
                Pick("nodes", lambda a: sorted(text_at(p, "spec", "nodeName") for p in maps_at(a["pods"], "items"))),
                look("status", "{nodes.2}", *etcdctl("endpoint", "status", "--cluster", "--write-out=json")),
            ),
            (
                Claim(
                    "one_leads",
                    lambda a: (
                        len(a["status"]["out"]) == 3 and len({m["Status"]["leader"] for m in a["status"]["out"]}) == 1
                    ),
                    ("nodes", "status.out.0.Status.leader"),
                    lambda a: {"count": len(a["status"]["out"])},
                ),
            ),
        ),
        Step(
            "one",
            (
                take_away("one_away", "{nodes.0}", "etcd"),
                look_until("one_ended", "{nodes.0}", _GONE, ended(1)),
                written("second", "second"),
            ),
            (
                Claim(
                    "goes_on",
                    lambda a: a["one_ended"]["code"] == 1 and _version(a, "second") > _version(a, "first"),
                    ("first.metadata.resourceVersion", "second.metadata.resourceVersion"),
                ),
            ),
        ),
        Step(
            "two",
            (
                take_away("two_away", "{nodes.1}", "etcd"),
                look_until("two_ended", "{nodes.1}", _GONE, ended(1)),
                look_until("alone", "{nodes.2}", _STATUS, custom("leaderless", _leaderless)),
                look("write", "{nodes.2}", *_KUBECTL, "create", "configmap", "third", status=(1,)),
                look("read", "{nodes.2}", *_KUBECTL, "get", "configmap", "first", status=(1,)),
                Pick("write_said", lambda a: a["write"]["err"].rpartition(": ")[2]),
                Pick("read_said", lambda a: a["read"]["err"].rpartition(": ")[2]),
                look("local", "{nodes.2}", *_local("second")),
                look("running", "{nodes.2}", "pgrep", "-x", "kube-proxy"),
            ),
            (
                Claim("no_leader", lambda a: _leader(a["alone"]) == 0, ("alone.out.0.Status.errors",)),
                Claim("no_write", lambda a: _no_quorum(a["write"]), ("write_said",)),
                Claim("no_read", lambda a: _no_quorum(a["read"]), ("read_said",)),
                Claim(
                    "still_there",
                    lambda a: _revision(a, "local") == _version(a, "second"),
                    ("second.metadata.resourceVersion", "local.out.kvs.0.mod_revision"),
                ),
                Claim("runs_on", lambda a: a["running"]["code"] == 0 and bool(a["running"]["out"]), ("running.out",)),
            ),
        ),
        Step(
            "found",
            (
                put_back("two_back", "{nodes.1}", "etcd"),
                look_until("led", "{nodes.2}", _STATUS, custom("led", _led)),
                written("third", "third"),
            ),
            (
                Claim(
                    "writes_again",
                    lambda a: _leader(a["led"]) != 0 and _version(a, "third") > _version(a, "second"),
                    ("led.out.0.Status.leader", "third.metadata.resourceVersion"),
                ),
            ),
        ),
        Step(
            "whole",
            (
                put_back("one_back", "{nodes.0}", "etcd"),
                look_until(
                    "caught_up",
                    "{nodes.0}",
                    _local("third"),
                    custom("caught_up", lambda status, body: status == 0 and len(body["out"]["kvs"]) == 1),
                ),
                _etcd_back("two_ready", "{nodes.1}"),
                _etcd_back("one_ready", "{nodes.0}"),
                Wait("kept", CONFIGMAPS.path(NS), custom("listed", lambda status, _: status == 200), LONG),
            ),
            (
                Claim(
                    "catches_up",
                    lambda a: _revision(a, "caught_up") == _version(a, "third"),
                    ("third.metadata.resourceVersion", "caught_up.out.kvs.0.mod_revision"),
                    lambda a: {"node": a["nodes"][0]},
                ),
                Claim(
                    "nothing_lost",
                    lambda a: (
                        {"first", "second", "third"} <= {name_of(one) for one in maps_at(a["kept"], "items")}
                        and a["first"]["metadata"]["uid"]
                        in {text_at(one, "metadata", "uid") for one in maps_at(a["kept"], "items")}
                    ),
                    ("first.metadata.uid",),
                ),
            ),
        ),
    ),
    rows=("S38",),
    needs=("kind", "ha"),
    touches=("namespace", "control_plane", "etcd"),
)
