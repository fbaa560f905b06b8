"""CreateContainerConfigError: what a container's configuration names is not there, or forbids itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.explain import ends
from kcompanion.explain.evidence import change, inspect, seen
from kcompanion.explain.pod import Container, Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.model import resources as r
from kcompanion.model.fields import dig, map_at, maps_at, text_at
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_config")
READ = "https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/"
KINDS = {"configMap": (r.CONFIGMAPS, "ConfigMap"), "secret": (r.SECRETS, "Secret")}
# What the kubelet says (pkg/kubelet/kubelet_pods.go, kuberuntime/security_context*.go), and the sentence for it.
SAYINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cause_root", ("will run as root", "breaks non-root policy")),
    ("cause_user", ("non-numeric user",)),
    ("cause_subpath", ("subpath", "SubPath", "missing value for")),
    ("cause_file", ("FileKeyRef", "not found in file", "parse env file")),
)


@dataclass(frozen=True)
class Need:
    """A ConfigMap or Secret, or a key in one, that an environment variable is taken from."""

    ref: Ref
    key: str  # empty for all keys (envFrom)
    path: str  # the field that names it
    optional: bool


@BOOK.rule("KC5041", numbers=(41,), severity=Severity.CRITICAL, rank=Rank.CONFIG, read=READ)
def bad_configuration(pod: Pod, world: World) -> Iterator[Cause]:
    """The kubelet cannot put together what the runtime should make."""
    for container in pod.containers:
        if container.waiting != "CreateContainerConfigError":
            continue
        message = container.waiting_message
        variant = next((v for v, words in SAYINGS if any(word in message for word in words)), "")
        yield _said(pod, container, variant) if variant else _missing(pod, container, world)


def _missing(pod: Pod, container: Container, world: World) -> Cause:
    """The first need that is not met, looked up; else the kubelet's own words."""
    message = container.waiting_message
    names = [need for need in needs(pod, container) if not need.optional and _named(need, message)]
    for need in names or [need for need in needs(pod, container) if not need.optional]:
        try:
            met, keys = look_up(need, world)
        except NotKnown:
            if need in names:  # the kubelet says it; only the proof is missing
                return _need(pod, container, need, "key" if need.key and "key" in message else "object", ())
            continue  # the kubelet's words have to do
        if met == "there":
            continue
        return _need(pod, container, need, met, keys)
    if names:
        return _need(pod, container, names[0], "there", ())
    return _said(pod, container, "cause")


def _need(pod: Pod, container: Container, need: Need, met: str, keys: tuple[str, ...]) -> Cause:
    kind = need.ref.kind
    facts: tuple[Evidence, ...] = ()
    if met == "object":
        facts = (seen(need.ref, "", "NotFound"),)
    elif keys:
        facts = (seen(need.ref, "data", ", ".join(keys)),)
    thing = kind.lower()
    look = f"kubectl describe {thing} {need.ref.name} -n {pod.namespace}"
    return Cause(
        {
            "what": ends.named(container),
            "kind": say(f"rule_config.kind.{kind}"),
            "object": need.ref.name,
            "key": need.key,
        },
        evidence=(*facts, seen(pod.ref, need.path, _asked(need)), *_waiting(pod, container)),
        steps=(
            inspect(f"kubectl get {thing}s -n {pod.namespace}" if met == "object" else look),
            change(text=say("rule_config.kc5041.do_wait" if met == "there" else "rule_config.kc5041.do")),
        ),
        variant={"object": "cause_object", "key": "cause_key", "there": "cause_there"}[met],
        root=need.ref,
    )


def _asked(need: Need) -> str:
    return f"{need.ref.name} key {need.key}" if need.key else need.ref.name


def _named(need: Need, message: str) -> bool:
    """Whether the kubelet's message is about this need: `configmap "a" not found`, `… key k in ConfigMap ns/a`."""
    if f'{need.ref.kind.lower()} "{need.ref.name}" not found' in message.lower():
        return True
    return bool(need.key) and f"find key {need.key} in {need.ref.kind} {need.ref.place}" in message


def look_up(need: Need, world: World) -> tuple[str, tuple[str, ...]]:
    """`object` or `key` for what is missing, else `there`; and the keys that there are.

    Raises:
        NotKnown: the object could not be read.
    """
    resource = r.CONFIGMAPS if need.ref.kind == "ConfigMap" else r.SECRETS
    found = world.get(resource, need.ref.name, need.ref.namespace)
    if found is None:
        return "object", ()
    keys = tuple(sorted({*map_at(found, "data"), *map_at(found, "binaryData")}))
    return ("key", keys) if need.key and need.key not in keys else ("there", keys)


def needs(pod: Pod, container: Container) -> Iterator[Need]:
    """Everything the environment of a container is taken from, in the order of the spec."""
    field = "containers" if container.sort == "app" else "initContainers"
    base = f"spec.{field}[{container.name}]"
    for source in maps_at(container.spec, "envFrom"):
        for word in KINDS:
            if reference := map_at(source, f"{word}Ref"):
                yield _made(pod, word, reference, "", f"{base}.envFrom")
    for variable in maps_at(container.spec, "env"):
        for word in KINDS:
            if reference := map_at(variable, "valueFrom", f"{word}KeyRef"):
                path = f"{base}.env[{text_at(variable, 'name')}].valueFrom.{word}KeyRef"
                yield _made(pod, word, reference, text_at(reference, "key"), path)


def _made(pod: Pod, word: str, reference: Mapping[str, Any], key: str, path: str) -> Need:
    ref = Ref(KINDS[word][1], text_at(reference, "name"), pod.namespace)
    return Need(ref, key, path, reference.get("optional") is True)


def _said(pod: Pod, container: Container, variant: str) -> Cause:
    """What the kubelet's message says by itself."""
    spec = container.spec
    contexts = [(f"spec.containers[{container.name}]", spec), ("spec", map_at(pod.raw, "spec"))]
    facts = [
        seen(pod.ref, f"{path}.securityContext.{key}", str(value).lower())
        for key in ("runAsNonRoot", "runAsUser")
        for path, holder in contexts
        if variant in ("cause_root", "cause_user") and (value := dig(holder, "securityContext", key)) is not None
    ]
    return Cause(
        {"what": ends.named(container), "image": container.image},
        evidence=(*_waiting(pod, container), *facts),
        steps=(
            inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
            change(text=say(f"rule_config.kc5041.do_{variant.removeprefix('cause_')}"))
            if variant != "cause"
            else change(text=say("rule_config.kc5041.do_other")),
        ),
        variant=variant,
    )


def _waiting(pod: Pod, container: Container) -> tuple[Evidence, ...]:
    return (
        seen(pod.ref, f"{container.path}.state.waiting.reason", container.waiting),
        seen(pod.ref, f"{container.path}.state.waiting.message", container.waiting_message),
    )
