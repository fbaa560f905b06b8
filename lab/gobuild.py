"""Builds the Go programs of versions.FAMILIES from ordinary Go modules, with whatever proxy Go is set up to use."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from lab import cache, versions
from lab.shell import LabError, run, say, step

_STAGING = re.compile(r"^\s+(k8s\.io/[\w-]+) v0\.0\.0$", re.MULTILINE)


def module_dir(path: str, version: str) -> Path:
    """Where Go keeps the unpacked source of a module, downloading it first if need be."""
    return Path(_download(path, version)["Dir"])


def family(wanted: versions.GoFamily) -> Path:
    """The folder with the family's binaries, built once per version and recipe."""
    return cache.entry(key(wanted), lambda folder: _build(wanted, folder))


def all_families() -> dict[str, Path]:
    """Binary name to path, for every family; says beforehand what is still to be built and how long that takes."""
    missing = [f for f in versions.FAMILIES if not (cache.root() / key(f)).is_dir()]
    if missing:
        total = sum(f.minutes for f in missing)
        say(f"lab: {len(missing)} Go families to build, about {total:.0f} min on two cores; kept in {cache.root()}")
    folders = [(f, family(f)) for f in versions.FAMILIES]
    return {name: folder / name for f, folder in folders for name, _, _ in f.programs}


def local(name: str, source: Path) -> Path:
    """A small program of the lab's own (standard library only), built once per content."""

    def fill(folder: Path) -> None:
        with step(f"building {name}", 0.1):
            run(_go_build(folder / name, "."), cwd=source, env=_env())

    return cache.entry(local_key(name, source), fill) / name


def local_key(name: str, source: Path) -> str:
    return f"go/{name}-{cache.tree_digest(source)}"


def e2e_binary() -> Path:
    """Upstream's own end-to-end test program of the same Kubernetes version."""

    def fill(folder: Path) -> None:
        with step("building upstream's e2e.test", 10):
            work = _module(versions.KUBERNETES_FAMILY)
            command = ["go", "test", "-c", "-mod=mod", "-trimpath", "-ldflags", _ldflags()]
            run([*command, "-o", folder / "e2e.test", "k8s.io/kubernetes/test/e2e"], cwd=work, env=_env())

    return cache.entry(f"go/e2e-{versions.KUBERNETES}", fill) / "e2e.test"


_RECIPE = "1"  # raise when the way of building changes


def key(wanted: versions.GoFamily) -> str:
    """The cache key of a family; it can be told without building anything."""
    return f"go/{wanted.name}-{wanted.version}-{cache.digest(repr(wanted), _RECIPE)}"


def _build(wanted: versions.GoFamily, folder: Path) -> None:
    work = _module(wanted)
    for name, package, minutes in wanted.programs:
        with step(f"building {name} {wanted.version}", minutes):
            run(_go_build(folder / name, package, wanted.tags), cwd=work, env=_env())


def _go_build(output: Path, package: str, tags: str = "") -> list[str]:
    return ["go", "build", "-mod=mod", "-trimpath", "-tags", tags, "-ldflags", _ldflags(), "-o", str(output), package]


def _ldflags() -> str:
    # kubeadm refuses binaries that do not know their version; other programs ignore these symbols.
    major, minor, _ = versions.KUBERNETES.split(".", 2)
    stamp = {"gitVersion": f"v{versions.KUBERNETES}", "gitMajor": major, "gitMinor": minor}
    return " ".join(["-s", "-w", *(f"-X k8s.io/component-base/version.{k}={v}" for k, v in stamp.items())])


def _module(wanted: versions.GoFamily) -> Path:
    """A throw-away Go module that requires the family's modules; `-mod=mod` fills in the rest."""
    work = cache.root() / "gomod" / f"{wanted.name}-{wanted.version}"
    work.mkdir(parents=True, exist_ok=True)
    requires = [f"require {path} {version}" for path, version in wanted.requires]
    lines = ["module kcompanion.dev/lab", "go 1.26", *requires]
    if wanted is versions.KUBERNETES_FAMILY:
        lines += _staging_replaces()
    fresh = "\n".join(lines) + "\n"
    asked = work / "asked"  # go rewrites go.mod, so what was asked for is kept beside it
    if not asked.is_file() or asked.read_text() != fresh:
        (work / "go.mod").write_text(fresh)
        (work / "go.sum").unlink(missing_ok=True)
        asked.write_text(fresh)
    return work


def _staging_replaces() -> list[str]:
    """k8s.io/kubernetes requires its staging modules at v0.0.0; they are published as v0.<minor>.<patch>."""
    gomod = Path(_download("k8s.io/kubernetes", f"v{versions.KUBERNETES}")["GoMod"]).read_text()
    published = "v0." + versions.KUBERNETES.split(".", 1)[1]
    return [f"replace {name} => {name} {published}" for name in _STAGING.findall(gomod)]


def _download(path: str, version: str) -> dict[str, str]:
    try:
        answer: dict[str, str] = json.loads(run(["go", "mod", "download", "-json", f"{path}@{version}"], env=_env()))
    except LabError as error:
        what = f"the Go module {path}@{version} ({error.missing})"
        raise LabError(what, f"check `go env GOPROXY` and the network; {error.do}") from error
    return answer


def _env() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOTOOLCHAIN": "local"}
