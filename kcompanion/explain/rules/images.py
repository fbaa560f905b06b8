"""Images that cannot be pulled, checked or mounted: group B, 31 to 40, of the taxonomy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from kcompanion.explain.evidence import change, inspect, low_risk, seen, told
from kcompanion.explain.pod import Container, Pod
from kcompanion.explain.pulls import Pull, failed_pull
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.model import resources as r
from kcompanion.model.fields import dig, maps_at, text_at, texts_at
from kcompanion.model.finding import Evidence, Severity, Step
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_image")
IMAGES = "https://kubernetes.io/docs/concepts/containers/images/"
PRIVATE = "https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/"
# What a pull may fail at, and the rule that says so. A registry that is slow to answer mends itself more often than
# a name that is not there.
RULES: tuple[tuple[str, str, tuple[int, ...], Severity, str], ...] = (
    ("missing", "KC5212", (), Severity.CRITICAL, f"{IMAGES}#image-names"),
    ("name", "KC5213", (), Severity.CRITICAL, f"{IMAGES}#image-names"),
    ("tls", "KC5214", (), Severity.CRITICAL, "https://github.com/containerd/containerd/blob/main/docs/hosts.md"),
    ("rate", "KC5215", (), Severity.CRITICAL, "https://docs.docker.com/docker-hub/usage/"),
    ("platform", "KC5216", (), Severity.CRITICAL, f"{IMAGES}#multi-architecture-images-with-image-indexes"),
    ("space", "KC5217", (), Severity.CRITICAL, "https://kubernetes.io/docs/concepts/architecture/garbage-collection/"),
    ("qps", "KC5219", (), Severity.WARNING, f"{IMAGES}#serial-and-parallel-image-pulls"),
)
SECRET_TYPES = ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg")
_NAMES = re.compile(r"image pull secrets \(([^)]*)\)")


def _failed(pod: Pod, world: World, sort: str) -> Iterator[tuple[Container, Pull]]:
    for container in pod.containers:
        pull = failed_pull(pod, container, world)
        if pull is not None and pull.sort == sort:
            yield container, pull


def _proof(pod: Pod, container: Container, pull: Pull) -> tuple[Evidence, ...]:
    """The state, and the answer alone (in its wrapping its end would be cut off) with how often it came."""
    waiting = seen(pod.ref, f"{container.path}.state.waiting.reason", container.waiting)
    if not pull.answer:
        return (waiting,)
    if pull.event is None:
        return waiting, seen(pod.ref, f"{container.path}.state.waiting.message", pull.answer)
    return waiting, told(replace(pull.event, message=pull.answer))


def _values(pod: Pod, container: Container, pull: Pull) -> dict[str, object]:
    return {"container": container.name, "image": pull.image, "registry": pull.registry, "node": pod.node}


def _describe(pod: Pod) -> Step:
    return inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}")


def _node(pod: Pod) -> Step:
    return inspect(f"kubectl describe node {pod.node}")


def _pull_failed(pod: Pod, world: World, *, sort: str, code: str) -> Iterator[Cause]:
    """One of RULES: the answer alone decides."""
    for container, pull in _failed(pod, world, sort):
        first = _node(pod) if sort in ("space", "platform") else _describe(pod)
        yield Cause(
            _values(pod, container, pull),
            evidence=(*_proof(pod, container, pull), *_more(pod, world, sort)),
            steps=(first, change(text=say(f"rule_image.{code.lower()}.do", registry=pull.registry))),
            root=Ref("Node", pod.node) if sort in ("space", "qps") else None,
        )


def _more(pod: Pod, world: World, sort: str) -> tuple[Evidence, ...]:
    """The processor of the node, or its disk, where that is the point."""
    try:
        node = world.get(r.NODES, pod.node) if sort in ("platform", "space") and pod.node else None
    except NotKnown:
        return ()
    if node is None:
        return ()
    ref = Ref("Node", pod.node)
    if sort == "platform":
        info = "status.nodeInfo"
        has = "/".join(text_at(node, "status", "nodeInfo", key) for key in ("operatingSystem", "architecture"))
        return (seen(ref, info, has),)
    pressure = next((c for c in maps_at(node, "status", "conditions") if c.get("type") == "DiskPressure"), {})
    return (seen(ref, "status.conditions[DiskPressure]", pressure.get("status", "")),) if pressure else ()


for _sort, _code, _numbers, _severity, _read in RULES:
    BOOK.rule(_code, numbers=_numbers, severity=_severity, rank=Rank.PULL, read=_read)(
        partial(_pull_failed, sort=_sort, code=_code)
    )


@BOOK.rule("KC5031", numbers=(31, 32), severity=Severity.CRITICAL, rank=Rank.PULL, read=f"{IMAGES}#imagepullbackoff")
def pull_failed(pod: Pod, world: World) -> Iterator[Cause]:
    """A pull failed in a way that no other rule knows, or that cannot be seen."""
    for container, pull in _failed(pod, world, ""):
        status = pull.server_error
        yield Cause(
            {**_values(pod, container, pull), "status": status} if status else _values(pod, container, pull),
            variant="cause_server" if status else "cause" if pull.answer else "cause_untold",
            evidence=_proof(pod, container, pull),
            steps=(
                _describe(pod),
                inspect(text=say("rule_image.kc5031.do", image=pull.image), command=""),
            ),
        )


@BOOK.rule("KC5036", numbers=(36,), severity=Severity.CRITICAL, rank=Rank.PULL, read=IMAGES)
def registry_unreachable(pod: Pod, world: World) -> Iterator[Cause]:
    """The registry does not answer the node."""
    found = list(_failed(pod, world, "unreachable"))
    for container in pod.containers:
        if container.waiting == "RegistryUnavailable":
            found.append((container, Pull(container.image, container.waiting_message, "unreachable")))
    for container, pull in found:
        yield Cause(
            _values(pod, container, pull),
            evidence=_proof(pod, container, pull),
            steps=(_describe(pod), change(text=say("rule_image.kc5036.do", registry=pull.registry, node=pod.node))),
        )


# ------------------------------------------------------------------------------------------- credentials


@BOOK.rule("KC5211", severity=Severity.CRITICAL, rank=Rank.PULL, read=PRIVATE)
def credentials_wanted(pod: Pod, world: World) -> Iterator[Cause]:
    """The registry lets nobody pull this image without credentials, or not with these."""
    names = _secret_names(pod)
    variant = "cause_given" if names else "cause"
    try:
        if list(_bad_secrets(pod, world)):
            return  # KC5218 says it better
    except NotKnown:
        variant = "cause_unread"
    for container, pull in _failed(pod, world, "credentials"):
        create = f"kubectl create secret docker-registry NAME -n {pod.namespace} --docker-server={pull.registry}"
        yield Cause(
            {**_values(pod, container, pull), "secrets": ", ".join(names)} if names else _values(pod, container, pull),
            variant=variant,
            evidence=(
                *_proof(pod, container, pull),
                seen(pod.ref, "spec.imagePullSecrets", ", ".join(names) or "-"),
            ),
            steps=(
                inspect(f"kubectl get serviceaccount {_account(pod)} -n {pod.namespace} -o yaml"),
                change(
                    f"{create} --docker-username=USER --docker-password=PASSWORD" if _safe(pull.registry) else "",
                    say("rule_image.kc5211.do"),
                ),
            ),
        )


@BOOK.rule("KC5218", severity=Severity.CRITICAL, rank=Rank.CONFIG, read=PRIVATE)
def pull_secret_missing(pod: Pod, world: World) -> Iterator[Cause]:
    """The registry wants credentials, and the pull secret that should hold them is not there or of no use."""
    failed = list(_failed(pod, world, "credentials"))
    if not failed:
        return
    container, pull = failed[0]
    for name, variant, proof in _bad_secrets(pod, world):
        yield Cause(
            {**_values(pod, container, pull), "secret": name},
            variant=variant,
            evidence=(proof, *_proof(pod, container, pull)),
            steps=(
                inspect(f"kubectl get secrets -n {pod.namespace} --field-selector type={SECRET_TYPES[0]}"),
                low_risk(text=say("rule_image.kc5218.do", secret=name)),
            ),
            root=Ref("Secret", name, pod.namespace),
        )


def _bad_secrets(pod: Pod, world: World) -> Iterator[tuple[str, str, Evidence]]:
    """The pod's pull secrets that do not exist or cannot hold credentials, with the proof.

    Without the right to read Secrets the kubelet's event tells.
    """
    for name in _secret_names(pod):
        ref = Ref("Secret", name, pod.namespace)
        try:
            secret = world.get(r.SECRETS, name, pod.namespace)
        except NotKnown:
            event = next((e for e in world.events(pod.ref, pod.uid) if name in _names_in(e.message)), None)
            if event is None:
                raise
            yield name, "cause", told(event)
            continue
        if secret is None:
            yield name, "cause", seen(ref, "", "NotFound")
        elif text_at(secret, "type") not in SECRET_TYPES:
            yield name, "cause_type", seen(ref, "type", text_at(secret, "type"))


def _names_in(message: str) -> list[str]:
    found = _NAMES.search(message)
    return [name.strip() for name in found[1].split(",")] if found else []


def _secret_names(pod: Pod) -> list[str]:
    return [text_at(one, "name") for one in maps_at(pod.raw, "spec", "imagePullSecrets") if text_at(one, "name")]


def _account(pod: Pod) -> str:
    return text_at(pod.raw, "spec", "serviceAccountName") or "default"


def _safe(word: str) -> bool:
    """Whether a word of the cluster may stand in a command unquoted."""
    return re.fullmatch(r"[A-Za-z0-9.:_-]+", word) is not None


# --------------------------------------------------------------------------- reasons with one meaning


@BOOK.rule("KC5033", numbers=(33,), severity=Severity.CRITICAL, rank=Rank.PULL, read=f"{IMAGES}#image-pull-policy")
def never_pulled(pod: Pod, world: World) -> Iterator[Cause]:
    """Pull policy Never, and the image is not on the node."""
    for container in _waiting(pod, "ErrImageNeverPull"):
        policy = dig(container.spec, "imagePullPolicy")
        yield Cause(
            _of(pod, container),
            evidence=(
                seen(pod.ref, f"spec.containers[{container.name}].imagePullPolicy", policy),
                *_said(pod, container),
                *_elsewhere(container, world),
            ),
            steps=(inspect(f"kubectl describe node {pod.node}"), change(text=say("rule_image.kc5033.do"))),
        )


def _elsewhere(container: Container, world: World) -> Iterator[Evidence]:
    """Nodes that say they have the image; a node names its 50 largest only."""
    try:
        nodes = world.all(r.NODES)
    except NotKnown:
        return
    for node in nodes:
        names = [name for image in maps_at(node, "status", "images") for name in texts_at(image, "names")]
        if container.image in names:
            yield seen(Ref("Node", text_at(node, "metadata", "name")), "status.images", container.image)


@BOOK.rule("KC5034", numbers=(34,), severity=Severity.CRITICAL, rank=Rank.PULL, read=f"{IMAGES}#image-names")
def bad_name(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """The image's name is none."""
    for container in _waiting(pod, "InvalidImageName"):
        yield Cause(_of(pod, container), evidence=_said(pod, container), steps=_mend(pod, "kc5034"))


def _by_reason(pod: Pod, world: World, *, reason: str, key: str) -> Iterator[Cause]:  # noqa: ARG001 - as above
    for container in _waiting(pod, reason):
        yield Cause(_of(pod, container), evidence=_said(pod, container), steps=_mend(pod, key))


# Reasons that say it all: pkg/kubelet/images/types.go and the CRI's errors.go of Kubernetes 1.37.
for _number, _reason, _more_at in (
    (35, "ImageInspectError", IMAGES),
    (37, "SignatureValidationFailed", "https://kubernetes.io/docs/tasks/administer-cluster/verify-signed-artifacts/"),
    (38, "ImageVolumeMountFailed", "https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/"),
    (39, "RROUnsupported", "https://kubernetes.io/docs/concepts/storage/volumes/#recursive-read-only-mounts"),
    (40, "SecurityProfileInvalid", "https://kubernetes.io/docs/concepts/security/linux-kernel-security-constraints/"),
):
    BOOK.rule(
        f"KC50{_number}",
        numbers=(_number,),
        severity=Severity.CRITICAL,
        rank=Rank.START if _number > 37 else Rank.PULL,
        read=_more_at,
    )(partial(_by_reason, reason=_reason, key=f"kc50{_number}"))


def _waiting(pod: Pod, reason: str) -> Iterator[Container]:
    """Containers whose reason it is, or whose message holds it: while the kubelet backs off it moves there."""
    for container in pod.containers:
        if container.waiting == reason or f"{reason}: " in container.waiting_message:
            yield container


def _of(pod: Pod, container: Container) -> dict[str, object]:
    return {"container": container.name, "image": container.image, "node": pod.node}


def _said(pod: Pod, container: Container) -> tuple[Evidence, ...]:
    reason = seen(pod.ref, f"{container.path}.state.waiting.reason", container.waiting)
    message = container.waiting_message
    return (reason, seen(pod.ref, f"{container.path}.state.waiting.message", message)) if message else (reason,)


def _mend(pod: Pod, key: str) -> tuple[Step, ...]:
    return _describe(pod), change(text=say(f"rule_image.{key}.do"))
