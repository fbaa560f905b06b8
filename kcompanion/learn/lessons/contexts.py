"""Contexts: the same words, another cluster, user or namespace; and what the API server never hears of."""

from __future__ import annotations

from typing import Any

from kcompanion.learn.answers import Answers
from kcompanion.learn.lesson import Claim, Lesson, Pick, Send, Step
from kcompanion.learn.tools import account, kubeconfig, ticket, tool, tool_until
from kcompanion.learn.verbs import NS, create, removal
from kcompanion.model.resources import CONFIGMAPS, NAMESPACES, ROLEBINDINGS, ROLES, Resource

_OTHER = NS + "-b"
_GONE = removal(NAMESPACES.path(None, _OTHER))
_VISITOR = {"kind": "ServiceAccount", "name": "visitor", "namespace": NS}
_ROLE = {
    "metadata": {"name": "reader"},
    "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}],
}
_BINDING = {
    "metadata": {"name": "reader"},
    "roleRef": {"apiGroup": ROLES.group, "kind": "Role", "name": "reader"},
    "subjects": [_VISITOR],
}
_COLOR = ("get", "configmap", "settings", "-o", "jsonpath={.data.color}")


def _map(name: str, color: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": {"color": color}}


def _there(name: str, resource: Resource, body: dict[str, Any]) -> Send:
    """The same in the other namespace."""
    head = {"apiVersion": resource.api_version, "kind": resource.kind}
    return Send(name, "POST", resource.path(_OTHER), {**head, **body}, (201,), undo=_GONE)


def _contexts(table: str) -> dict[str, list[str]]:
    """Cluster, user and namespace of each context, as kubectl lists them; the current one has a star before it."""
    rows = (line.replace("*", " ", 1).split() for line in table.splitlines())
    return {name: places for name, *places in rows}


def _differ_in_namespace(contexts: dict[str, list[str]]) -> bool:
    clusters, users, namespaces = zip(*contexts.values(), strict=True)
    return len(contexts) == len(set(namespaces)) == 2 and len(set(clusters)) == len(set(users)) == 1


def _words(a: Answers, name: str) -> Any:  # noqa: ANN401 - JSON
    exchange = a.exchange(name)
    return None if exchange is None else exchange.request.body


LESSON = Lesson(
    "contexts",
    1,
    (
        Step(
            "two",
            (
                Send(
                    "other",
                    "POST",
                    NAMESPACES.path(),
                    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _OTHER}},
                    (201,),
                    undo=_GONE,
                ),
                create("red", CONFIGMAPS, _map("settings", "red")),
                _there("blue", CONFIGMAPS, _map("settings", "blue")),
                create("only_red", CONFIGMAPS, _map("only-here", "red")),
                account("visitor", "visitor"),
                create("role", ROLES, _ROLE),
                create("binding", ROLEBINDINGS, _BINDING),
                _there("other_role", ROLES, _ROLE),
                _there("other_binding", ROLEBINDINGS, _BINDING),
                ticket("ticket", "visitor"),
                kubeconfig("config", "{ticket.status.token}", {"red": NS, "blue": _OTHER}, "red"),
                tool("listed", "kubectl", "config", "get-contexts", "--no-headers"),
                Pick("contexts", lambda a: _contexts(a["listed"]["out"])),
            ),
            (
                Claim(
                    "same_name",
                    lambda a: (
                        a["red"]["metadata"]["name"] == a["blue"]["metadata"]["name"]
                        and a["red"]["metadata"]["uid"] != a["blue"]["metadata"]["uid"]
                    ),
                    ("red.metadata.namespace", "red.metadata.uid", "blue.metadata.namespace", "blue.metadata.uid"),
                ),
                Claim(
                    "two_contexts",
                    lambda a: _differ_in_namespace(a["contexts"]),
                    ("contexts.red", "contexts.blue"),
                ),
            ),
        ),
        Step(
            "current",
            (
                tool("which", "kubectl", "config", "current-context"),
                tool_until("here", "kubectl", *_COLOR),
                tool("who", "kubectl", "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"),
            ),
            (
                Claim(
                    "reads_red",
                    lambda a: (a["which"]["out"], a["here"]["out"]) == ("red", "red"),
                    ("which.out", "here.out"),
                ),
                Claim(
                    "as_visitor",
                    lambda a: a["who"]["out"] == f"system:serviceaccount:{a['ns']}:visitor",
                    ("who.out",),
                ),
            ),
        ),
        Step(
            "switch",
            (
                tool("switched", "kubectl", "config", "use-context", "blue"),
                tool_until("there", "kubectl", *_COLOR),
                tool("once", "kubectl", "--context", "red", *_COLOR),
                tool("still", "kubectl", "config", "current-context"),
            ),
            (
                Claim(
                    "same_words",
                    lambda a: a["there"]["out"] == "blue" and _words(a, "there") == _words(a, "here"),
                    ("here.out", "there.out"),
                ),
                Claim(
                    "for_once",
                    lambda a: (a["once"]["out"], a["still"]["out"]) == ("red", "blue"),
                    ("once.out", "still.out"),
                ),
            ),
        ),
        Step(
            "wrong",
            (
                tool("lost", "kubectl", "get", "configmap", "only-here", status=1),
                tool("found", "kubectl", "get", "configmap", "only-here", "-n", NS, "-o", "name"),
            ),
            (
                Claim(
                    "not_found",
                    lambda a: "NotFound" in a["lost"]["err"] and a["found"]["out"] == "configmap/only-here",
                    ("lost.err", "found.out"),
                ),
            ),
        ),
        Step(
            "namespace",
            (
                tool("moved", "kubectl", "config", "set-context", "--current", f"--namespace={NS}"),
                tool("now", "kubectl", *_COLOR),
                tool("name", "kubectl", "config", "current-context"),
            ),
            (
                Claim(
                    "moved_to_red",
                    lambda a: (a["now"]["out"], a["name"]["out"]) == ("red", "blue"),
                    ("name.out", "now.out"),
                ),
            ),
        ),
    ),
    rows=("S31", "S14"),
    needs=("own_namespace", "kubectl"),
    touches=("namespace", "second_namespace", "own_kubeconfig"),
)
