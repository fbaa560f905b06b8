"""Messages of the kubelet and the attach/detach controller about volumes, read for what they tell."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kcompanion.explain.evidence import told
from kcompanion.explain.pod import Pod
from kcompanion.explain.starting import reported
from kcompanion.model.finding import Evidence
from kcompanion.model.world import NotKnown, World

VOLUME_NAMED = re.compile(r'for volume "(?P<volume>[^"]+)"')
_PREFIX = re.compile(r'^\w+Volume\.\w+ failed for volume "[^"]+"\s*:\s*')


def mount_events(pod: Pod, world: World) -> Iterator[Evidence]:
    try:
        yield from (told(event) for event in reported(pod, world, "FailedMount")[-1:])
    except NotKnown:
        return


def short(message: str) -> str:
    """The first line of a message without the call that failed and the volume's name."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return _PREFIX.sub("", lines[0])[:200] if lines else "-"
