"""Writes container images as archives, without any builder.

An image is a list of tar layers and a small JSON description. Both `docker load` and
`ctr images import` read the archive that `docker save` would write, so that format is enough, and
neither BuildKit nor a network inside a build container is needed.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

Files = Mapping[str, Path | bytes]
Layer = Path | Files  # a tar file made before, or files by their place in the image

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Image:
    """One image under one or more names (with tags)."""

    names: tuple[str, ...]
    layers: tuple[Layer, ...]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    environment: tuple[str, ...] = (PATH,)
    stop_signal: str = ""


def architecture() -> str:
    """This machine's architecture, by the name that images use."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def write(images: Sequence[Image], output: IO[bytes]) -> None:
    """Writes one archive with all the images; a layer that several share is written once."""
    written: dict[int, str] = {}  # identity of a layer to its digest
    names: set[str] = set()
    with tarfile.open(fileobj=output, mode="w|") as archive:
        manifest = []
        for image in images:
            for layer in image.layers:
                if id(layer) not in written:
                    written[id(layer)] = _add_layer(archive, layer, names)
            digests = [written[id(layer)] for layer in image.layers]
            config = _config(image, digests)
            config_name = f"{hashlib.sha256(config).hexdigest()}.json"
            _add_once(archive, config_name, config, names)
            layers = [f"{digest}.tar" for digest in digests]
            manifest.append({"Config": config_name, "RepoTags": list(image.names), "Layers": layers})
        _add_once(archive, "manifest.json", json.dumps(manifest).encode(), names)


def layer_bytes(files: Files) -> bytes:
    """An uncompressed tar of the files, the same bytes for the same content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as layer:
        for name in sorted(files):
            content = files[name]
            data = content if isinstance(content, bytes) else content.read_bytes()
            entry = tarfile.TarInfo(name)
            if name.endswith("/"):
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                layer.addfile(entry)
                continue
            # What a kernel can start is a program; everything else is only read.
            entry.mode = 0o755 if data.startswith((b"#!", b"\x7fELF")) else 0o644
            entry.size = len(data)
            layer.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _add_layer(archive: tarfile.TarFile, layer: Layer, names: set[str]) -> str:
    if isinstance(layer, Path):
        with layer.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
        if f"{digest}.tar" not in names:
            names.add(f"{digest}.tar")
            entry = tarfile.TarInfo(f"{digest}.tar")
            entry.size = layer.stat().st_size
            with layer.open("rb") as handle:
                archive.addfile(entry, handle)
        return digest
    data = layer_bytes(layer)
    digest = hashlib.sha256(data).hexdigest()
    _add_once(archive, f"{digest}.tar", data, names)
    return digest


def _add_once(archive: tarfile.TarFile, name: str, data: bytes, names: set[str]) -> None:
    if name in names:
        return
    names.add(name)
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))


def _config(image: Image, digests: Sequence[str]) -> bytes:
    run: dict[str, object] = {"Env": list(image.environment), "Labels": dict(image.labels)}
    if image.entrypoint:
        run["Entrypoint"] = list(image.entrypoint)
    if image.command:
        run["Cmd"] = list(image.command)
    if image.stop_signal:
        run["StopSignal"] = image.stop_signal
    config = {
        "architecture": architecture(),
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",  # a fixed time: the same content is the same image
        "config": run,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
        "history": [{"created_by": "kcompanion lab"} for _ in digests],
    }
    return json.dumps(config, sort_keys=True).encode()
