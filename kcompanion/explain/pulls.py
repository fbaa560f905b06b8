"""Why an image could not be pulled, told apart by what the registry, the network or the disk answered.

The kubelet passes on the runtime's words in `state.waiting.message`. While it backs off, only newer kubelets keep
them there (prevPullErrMsg in pkg/kubelet/images/image_manager.go); with older ones the events have to tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kcompanion.explain.pod import Container, Pod
from kcompanion.model.events import Event
from kcompanion.model.fields import maps_at, text_at
from kcompanion.model.world import NotKnown, World

PULLING = ("ErrImagePull", "ImagePullBackOff")
# The words by which a failure is told, in small letters; the first line that fits is it. They are containerd's,
# CRI-O's and cri-dockerd's, and those of the distribution specification's error codes.
ANSWERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("signature", ("signaturevalidationfailed", "because the signature validation failed")),
    ("qps", ("pull qps exceeded",)),
    ("rate", ("toomanyrequests", "too many requests", "rate limit", "429 ")),
    ("unreachable", ("tls handshake timeout",)),
    ("tls", ("x509:", "server gave http response to https client", "tls: ", "certificate ")),
    ("name", ("no such host", "server misbehaving", "temporary failure in name resolution")),
    ("space", ("no space left on device", "disk quota exceeded")),
    (
        "platform",
        (
            "no match for platform",
            "no matching manifest for",
            "does not match the specified platform",
            "no image found in image index for",
            "no image found in manifest list for",
        ),
    ),
    (
        "credentials",
        (
            "pull access denied",
            "unauthorized",
            "authentication required",
            "no basic auth credentials",
            "authorization failed",
            "insufficient_scope",
            "401 ",
            "403 ",
            "access denied",
            "denied:",
            "access to the resource is denied",
        ),
    ),
    ("missing", ("manifest unknown", "name unknown", "not found", "code = notfound", "repository does not exist")),
    (
        "unreachable",
        (
            "connection refused",
            "i/o timeout",
            "timeout awaiting",
            "no route to host",
            "network is unreachable",
            "connection reset",
            "proxyconnect",
            "deadline exceeded",
            "client.timeout",
            "unexpected eof",
            ": eof",
            "registryunavailable",
            "because the registry is unavailable",
        ),
    ),
)
_WRAPPING = re.compile(
    r"^(?:Back-off pulling image \"[^\"]*\"(?:: )?|Failed to pull image \"[^\"]*\": |ErrImagePull: "
    r"|rpc error: code = \w+ desc = |failed to pull and unpack image \"[^\"]*\": "
    r"|failed to resolve reference \"[^\"]*\": |failed to do request: )+"
)
_QUOTED = re.compile(r"image \"([^\"\s]+)\"")
_SERVER_ERROR = re.compile(r"\b(5\d\d) [A-Z]")


@dataclass(frozen=True)
class Pull:
    """A pull that failed: the image, the answer without its wrapping, what kind of answer it is, and the event."""

    image: str
    answer: str
    sort: str  # a name of ANSWERS, or empty
    event: Event | None = None

    @property
    def registry(self) -> str:
        """The registry's name and port; an image without one comes from Docker Hub."""
        first, slash, _ = self.image.partition("/")
        return first if slash and (first == "localhost" or re.search(r"[.:]", first)) else "docker.io"

    @property
    def server_error(self) -> str:
        """The HTTP status of a registry that is itself broken, such as `500`."""
        found = _SERVER_ERROR.search(self.answer)
        return found[1] if found else ""


def failed_pull(pod: Pod, container: Container, world: World) -> Pull | None:
    """How the last pull for a container failed; None when none is failing.

    Where neither the status nor a readable event tells the answer, it is empty.
    """
    if container.waiting not in PULLING:
        return None
    message = container.waiting_message
    event = _event(pod, container, world)
    answer = gist(message) or (gist(event.message) if event else "")
    named = _QUOTED.search(message)
    image = named[1] if named else container.image
    if image != container.image and image in _volume_images(pod):
        return None  # an image volume's failure is told at the container too, but is another rule's (KC5132)
    return Pull(image, answer, sort_of(answer), event)


def _volume_images(pod: Pod) -> list[str]:
    return [text_at(volume, "image", "reference") for volume in maps_at(pod.raw, "spec", "volumes")]


def sort_of(answer: str) -> str:
    """Which of ANSWERS it is, empty when none."""
    small = f"{answer.lower()} "
    return next((name for name, words in ANSWERS if any(word in small for word in words)), "")


def gist(message: str) -> str:
    """The registry's answer without what kubelet and runtime wrapped around it."""
    return " ".join(_WRAPPING.sub("", message).split())


def _event(pod: Pod, container: Container, world: World) -> Event | None:
    try:
        events = world.events(pod.ref, pod.uid)
    except NotKnown:
        return None  # it would be one more proof
    ours = [e for e in events if e.reason == "Failed" and e.message.startswith("Failed to pull image")]
    return next((e for e in reversed(ours) if f"{{{container.name}}}" in e.path), None)
