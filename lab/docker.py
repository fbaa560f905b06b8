"""The few things the lab asks of the Docker client."""

from __future__ import annotations

import json
import select
import subprocess
from collections.abc import Sequence
from typing import Any

from lab import oci
from lab.shell import LabError, run, succeeds


def load(images: Sequence[oci.Image]) -> None:
    """Hands images to the engine."""
    pipe(["docker", "load", "--quiet"], images)


def pipe(command: Sequence[str], images: Sequence[oci.Image]) -> None:
    """Writes the images' archive into a program, without a file in between."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdin
    assert process.stdout
    try:
        with process.stdin as sink:
            oci.write(images, sink)
    except BrokenPipeError:
        pass  # the program ended early: its output says why
    output = process.stdout.read().decode(errors="replace")
    if process.wait() != 0:
        tail = "\n  ".join(output.strip().splitlines()[-15:])
        raise LabError(f"success of `{' '.join(command)}`", f"read:\n  {tail}")


def label(image: str, name: str) -> str | None:
    """An image's label; an empty text if the image has none, None if there is no such image."""
    inspected = inspect("image", [image])
    if not inspected:
        return None
    labels: dict[str, str] = inspected[0]["Config"].get("Labels") or {}
    return labels.get(name, "")


def inspect(kind: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """What the engine knows of these objects; nothing for those that do not exist."""
    if not names:
        return []
    command = ["docker", kind, "inspect", *names]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    found: list[dict[str, Any]] = json.loads(done.stdout or b"[]")
    return found


def pull(image: str, *, first: float, whole: float) -> bool:
    """Pulls an image; gives up when the registry has not answered after `first` seconds."""
    command = ["docker", "pull", image]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout
    try:
        answered, _, _ = select.select([process.stdout], [], [], first)
        if not answered:
            return False
        process.communicate(timeout=whole)
        return process.returncode == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def remove_container(name: str) -> None:
    succeeds(["docker", "rm", "--force", "--volumes", name], timeout=60)


def remove_image(name: str) -> None:
    succeeds(["docker", "image", "rm", name], timeout=60)


def remove_network(name: str) -> None:
    succeeds(["docker", "network", "rm", name], timeout=60)


def prune(label_filter: str) -> None:
    """Removes nameless images with this label: what a newer build of the same name left behind."""
    succeeds(["docker", "image", "prune", "--force", "--filter", f"label={label_filter}"], timeout=60)


def disconnect(network: str, container: str) -> None:
    """Takes a container out of a network, also one that the engine only remembers."""
    succeeds(["docker", "network", "disconnect", "--force", network, container], timeout=60)


def containers(label_filter: str) -> list[str]:
    """The names of all containers with this label, also of those that do not run."""
    command = ["docker", "ps", "--all", "--filter", f"label={label_filter}", "--format", "{{.Names}}"]
    return sorted(run(command).split())
