import hashlib
import io
import json
import tarfile
from pathlib import Path

from lab import oci


def _archive(*images: oci.Image) -> dict[str, bytes]:
    buffer = io.BytesIO()
    oci.write(images, buffer)
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as archive:
        names = archive.getnames()
        assert len(names) == len(set(names))
        return {name: archive.extractfile(name).read() for name in names}  # type: ignore[union-attr]


def test_layers_are_named_by_their_content_and_shared(tmp_path: Path) -> None:
    base = tmp_path / "base.tar"
    base.write_bytes(oci.layer_bytes({"etc/os-release": b"ID=lab\n"}))
    one = oci.Image(("a:1", "a:2"), (base, {"bin/one": b"\x7fELF1"}), ("/bin/one",))
    two = oci.Image(("b:1",), (base, {"bin/two": b"\x7fELF2"}), ("/bin/two",))
    files = _archive(one, two)
    manifest = json.loads(files["manifest.json"])
    assert [entry["RepoTags"] for entry in manifest] == [["a:1", "a:2"], ["b:1"]]
    assert manifest[0]["Layers"][0] == manifest[1]["Layers"][0]
    for entry in manifest:
        config = json.loads(files[entry["Config"]])
        digests = [hashlib.sha256(files[layer]).hexdigest() for layer in entry["Layers"]]
        assert config["rootfs"]["diff_ids"] == [f"sha256:{digest}" for digest in digests]


def test_the_same_content_is_the_same_image() -> None:
    image = oci.Image(("a:1",), ({"bin/one": b"#!/bin/sh\n"},))
    assert _archive(image) == _archive(image)


def test_programs_are_executable_and_other_files_are_not() -> None:
    layer = oci.layer_bytes({"run": b"#!/bin/sh\n", "bin": b"\x7fELF", "note": b"text", "home/lab/": b""})
    with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
        modes = {entry.name: (entry.mode, entry.isdir()) for entry in archive}
    assert modes == {
        "run": (0o755, False),
        "bin": (0o755, False),
        "note": (0o644, False),
        "home/lab": (0o755, True),
    }
