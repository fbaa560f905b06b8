"""The demo manifests: apply one, wait until `kcompanion explain` names its cause first, record it, remove it.

`python tools/demo.py record KC5044` writes tests/explain/cases/KC5044/positive.kcr from the running cluster.
Each folder of manifests/demo holds manifest.yaml and demo.yaml:

    explain: pod/crash        what to explain, in the demo's own namespace
    within: 60                seconds until the rule's cause must stand first
    before: [[label, ...]]    kubectl commands to run before the manifest is applied
    after: [[delete, ...]]    … and after it; {namespace} is replaced in all of them
    undo: [[label, ...]]      … and when it is removed
    exclusive: true           it touches nodes or the whole cluster: run it alone
    at: kube-system           the namespace of what is explained, when it is not the demo's own
    among: true               the rule need not be the root cause: it adds a note to another one
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
DEMOS = ROOT / "manifests" / "demo"
CASES = ROOT / "tests" / "explain" / "cases"
EVERY = 2.0  # seconds between two looks
Commands = tuple[tuple[str, ...], ...]
Kcompanion = Callable[[Sequence[str], Mapping[str, str]], tuple[str, str]]


@dataclass(frozen=True)
class Demo:
    """One folder of manifests/demo. Its name is the rule's code, with a word after a dash for a second one."""

    name: str
    explain: str
    within: float = 60
    before: Commands = ()
    after: Commands = ()
    undo: Commands = ()
    exclusive: bool = False
    at: str = ""
    among: bool = False
    manifest: Path = field(default=Path())

    @property
    def code(self) -> str:
        """The rule that must be the root cause; empty for the control cases that must stay silent."""
        return self.name.partition("-")[0] if self.name.startswith("KC") else ""

    @property
    def namespace(self) -> str:
        return f"demo-{self.name.lower()}"


@cache
def demos() -> dict[str, Demo]:
    """Every demo by its folder's name."""
    return {folder.name: load(folder) for folder in sorted(DEMOS.iterdir()) if (folder / "demo.yaml").is_file()}


def load(folder: Path) -> Demo:
    told = yaml.safe_load((folder / "demo.yaml").read_text(encoding="utf-8"))
    commands = {key: tuple(tuple(map(str, c)) for c in told.pop(key, ())) for key in ("before", "after", "undo")}
    return Demo(
        folder.name,
        manifest=folder / "manifest.yaml",
        before=commands["before"],
        after=commands["after"],
        undo=commands["undo"],
        **told,
    )


def spawned(words: Sequence[str], environ: Mapping[str, str]) -> tuple[str, str]:
    """What `kcompanion WORDS` prints, and what it complains of."""
    command = [sys.executable, "-m", "kcompanion", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environ, cwd=ROOT)
    return done.stdout, done.stderr


class Cluster:
    """kubectl and kcompanion on one kubeconfig."""

    def __init__(self, kubeconfig: Path, kubectl: str, kcompanion: Kcompanion = spawned) -> None:
        self.kubeconfig = kubeconfig
        self.program = kubectl
        self.kcompanion = kcompanion

    def kubectl(self, *words: str, check: bool = True) -> str:
        command = [self.program, "--kubeconfig", str(self.kubeconfig), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
        if check and done.returncode:
            raise SystemExit(f"kubectl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, demo: Demo) -> None:
        """Makes the demo's namespace and everything in it."""
        self.kubectl("create", "namespace", demo.namespace)
        self._run(demo, demo.before)
        if demo.manifest.is_file():
            self.kubectl("apply", "-n", demo.namespace, "-f", str(demo.manifest))
        self._run(demo, demo.after)

    def remove(self, demo: Demo) -> None:
        """Takes all of it away again; also what stands outside its namespace."""
        self._run(demo, demo.undo, check=False)
        if demo.manifest.is_file():
            words = ("delete", "-n", demo.namespace, "-f", str(demo.manifest))
            self.kubectl(*words, "--ignore-not-found", "--wait=false", check=False)
        self.kubectl("delete", "namespace", demo.namespace, "--wait=false", "--ignore-not-found", check=False)

    def _run(self, demo: Demo, commands: Commands, *, check: bool = True) -> None:
        for words in commands:
            self.kubectl(*(word.replace("{namespace}", demo.namespace) for word in words), check=check)

    def explained(self, demo: Demo, *more: str) -> dict[str, Any]:
        """What `kcompanion explain` says of it, as JSON; empty when it failed."""
        words = ("explain", *demo.explain.split(), "-n", demo.at or demo.namespace, "-o", "json", *more)
        env = {k: v for k, v in os.environ.items() if not k.startswith("KUBE")} | {"KUBECONFIG": str(self.kubeconfig)}
        out, err = self.kcompanion(words, env)
        try:
            return dict(json.loads(out))
        except ValueError:
            return {"error": err}

    def wait(self, demo: Demo, *more: str) -> dict[str, Any]:
        """Explains it again and again until the demo's rule is the root cause, or its time is over."""
        end = time.monotonic() + demo.within
        while True:
            told = self.explained(demo, *more)
            if shows(told, demo) or time.monotonic() > end:
                return told
            time.sleep(EVERY)


def root_code(told: dict[str, Any]) -> str:
    """The code of the root cause in an explanation; empty when there is none."""
    for one in told.get("objects", ()):
        if one["rootCause"]:
            return str(one["rootCause"]["code"])
    return ""


def shows(told: dict[str, Any], demo: Demo) -> bool:
    """Whether an explanation names the demo's rule: as the root cause, or, where that is enough, at all."""
    if demo.among:
        return any(demo.code in one["causes"] for one in told.get("objects", ()))
    return root_code(told) == demo.code


def record(cluster: Cluster, demo: Demo) -> bool:
    """Runs a demo and keeps what `explain` read as the rule's positive case."""
    cluster.apply(demo)
    try:
        told = cluster.wait(demo)
        if not shows(told, demo):
            print(f"{demo.name}: {root_code(told) or told.get('error') or 'no cause'} instead, see {demo.explain}")
            return False
        folder = CASES / demo.name
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "positive.kcr"
        cluster.explained(demo, "--record", str(file))
        file.chmod(0o644)
        print(f"{demo.name}: recorded")
        return True
    finally:
        cluster.remove(demo)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Run the demo manifests on the lab's cluster.")
    parser.add_argument("action", choices=("list", "apply", "wait", "remove", "record"))
    parser.add_argument("names", nargs="*", help="folders of manifests/demo; all without")
    parser.add_argument("--kubeconfig", type=Path, default=ROOT / ".cluster" / "kubeconfig")
    parser.add_argument("--kubectl", default="kubectl")
    given = parser.parse_args(argv)
    known = demos()
    if unknown := [name for name in given.names if name not in known]:
        parser.error(f"no such demo: {', '.join(unknown)}")
    chosen = [known[name] for name in given.names or known]
    cluster = Cluster(given.kubeconfig, given.kubectl)
    failed = 0
    for demo in chosen:
        if given.action == "list":
            print(f"{demo.name:16} {demo.explain}")
        elif given.action == "record":
            failed += not record(cluster, demo)
        elif given.action == "wait":
            failed += root_code(cluster.wait(demo)) != demo.code
        else:
            getattr(cluster, given.action)(demo)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
