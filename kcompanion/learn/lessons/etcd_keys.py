"""Keys in the store: one object read in etcd while it is made, changed and deleted."""

from __future__ import annotations

import base64
from typing import Any

from kcompanion.learn.answers import Answers
from kcompanion.learn.conditions import gone, is_ready
from kcompanion.learn.lesson import Claim, Lesson, Pick, Send, Step
from kcompanion.learn.machines import SYSTEM, in_etcd_pod
from kcompanion.learn.verbs import create, delete, patch, wait
from kcompanion.model.fields import maps_at, name_of
from kcompanion.model.resources import CONFIGMAPS, NODES, PODS, SERVICES
from kcompanion.trace.etcdkey import envelope

_KEY = "/registry/configmaps/{ns}/note"
_ETCD = PODS.path(SYSTEM) + "?labelSelector=component%3Detcd"
_WEB = {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}


def _found(a: Answers, name: str) -> Any:  # noqa: ANN401 - JSON
    """The one key that etcdctl found."""
    [one] = a[name]["out"]["kvs"]
    return one


def _key(a: Answers, name: str) -> str:
    return base64.b64decode(_found(a, name)["key"]).decode()


def _value(a: Answers, name: str) -> bytes:
    return base64.b64decode(_found(a, name)["value"])


def _version(a: Answers, name: str) -> int:
    return int(a[name]["metadata"]["resourceVersion"])


def _encoding(a: Answers, name: str) -> tuple[str, str]:
    around = envelope(_value(a, name))
    return around.encoding, around.kind


LESSON = Lesson(
    "etcd-keys",
    1,
    (
        Step(
            "stored",
            (
                create("made", CONFIGMAPS, {"metadata": {"name": "note"}, "data": {"colour": "green"}}),
                Send("members", "GET", _ETCD),
                Pick("etcd", lambda a: next(name_of(p) for p in maps_at(a["members"], "items") if is_ready(p))),
                in_etcd_pod("stored", "{etcd}", "get", _KEY),
                Pick("key", lambda a: _key(a, "stored")),
                Pick("value", lambda a: ascii(_value(a, "stored")[:32].decode("latin-1"))),
            ),
            (
                Claim(
                    "by_its_names",
                    lambda a: _key(a, "stored") == f"/registry/configmaps/{a['ns']}/note",
                    ("key",),
                ),
                Claim(
                    "same_number",
                    lambda a: _found(a, "stored")["mod_revision"] == _version(a, "made"),
                    ("made.metadata.resourceVersion", "stored.out.kvs.0.mod_revision"),
                ),
                Claim(
                    "first_write",
                    lambda a: (
                        _found(a, "stored")["version"] == 1
                        and _found(a, "stored")["create_revision"] == _found(a, "stored")["mod_revision"]
                    ),
                    ("stored.out.kvs.0.version", "stored.out.kvs.0.create_revision"),
                ),
                Claim(
                    "protobuf",
                    lambda a: (
                        _value(a, "stored")[:4] == b"k8s\0" and _encoding(a, "stored") == ("protobuf", "ConfigMap")
                    ),
                    ("value",),
                    lambda a: {"bytes": len(_value(a, "stored"))},
                ),
                Claim("in_clear", lambda a: b"green" in _value(a, "stored"), ("made.data.colour",)),
            ),
        ),
        Step(
            "changed",
            (
                patch("changed", CONFIGMAPS, "note", {"data": {"colour": "blue"}}),
                in_etcd_pod("stored_again", "{etcd}", "get", _KEY),
                in_etcd_pod("as_it_was", "{etcd}", "get", _KEY, "--rev={made.metadata.resourceVersion}"),
            ),
            (
                Claim(
                    "moved_on",
                    lambda a: (
                        _found(a, "stored_again")["mod_revision"] == _version(a, "changed") > _version(a, "made")
                        and _found(a, "stored_again")["create_revision"] == _found(a, "stored")["create_revision"]
                        and _found(a, "stored_again")["version"] == 2
                    ),
                    (
                        "changed.metadata.resourceVersion",
                        "stored_again.out.kvs.0.mod_revision",
                        "stored_again.out.kvs.0.create_revision",
                        "stored_again.out.kvs.0.version",
                    ),
                ),
                Claim(
                    "history",
                    lambda a: b"green" in _value(a, "as_it_was") and b"blue" in _value(a, "stored_again"),
                    ("as_it_was.out.kvs.0.mod_revision",),
                ),
            ),
        ),
        Step(
            "names",
            (
                create("web", SERVICES, _WEB),
                in_etcd_pod("service", "{etcd}", "get", "/registry/services/specs/{ns}/web", "--keys-only"),
                Send("nodes", "GET", NODES.path()),
                Pick("node", lambda a: name_of(a["nodes"]["items"][0])),
                in_etcd_pod("minion", "{etcd}", "get", "/registry/minions/{node}", "--keys-only"),
                in_etcd_pod("grouped", "{etcd}", "get", "/registry/apiregistration.k8s.io/apiservices/v1."),
            ),
            (
                Claim(
                    "old_names",
                    lambda a: (
                        _key(a, "service") == f"/registry/services/specs/{a['ns']}/web"
                        and _key(a, "minion") == f"/registry/minions/{a['node']}"
                    ),
                    ("service.out.count", "minion.out.count"),
                    lambda a: {"service": _key(a, "service"), "node": _key(a, "minion")},
                ),
                Claim(
                    "with_group",
                    lambda a: _encoding(a, "grouped") == ("json", "APIService"),
                    ("grouped.out.count",),
                    lambda a: {"key": _key(a, "grouped")},
                ),
            ),
        ),
        Step(
            "deleted",
            (
                delete("deleted", CONFIGMAPS, "note"),
                wait("gone", CONFIGMAPS, "note", gone()),
                in_etcd_pod("absent", "{etcd}", "get", _KEY),
            ),
            (
                Claim(
                    "no_key",
                    lambda a: (
                        "kvs" not in a["absent"]["out"]
                        and a["absent"]["out"]["header"]["revision"] > _version(a, "changed")
                    ),
                    ("absent.out.header.revision",),
                ),
            ),
        ),
    ),
    rows=("S40",),
    needs=("control_plane", "etcd_pod"),
    touches=("namespace", "etcd_read"),
)
