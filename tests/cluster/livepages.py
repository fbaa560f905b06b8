"""A report written of a running cluster, and kubectl's numbers from the same moment, for tests in a browser."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browsing import opened, rows
from tests.cli.test_report import CHAPTERS
from tests.cluster.conftest import Ran

PATIENCE = 240.0  # seconds until nothing changes between two looks of kubectl
LISTS = (
    "nodes", "namespaces", "pods", "services", "endpointslices", "persistentvolumeclaims", "deployments.apps",
    "replicasets.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch", "cronjobs.batch",
)  # fmt: skip
LEADERS = ("kube-scheduler", "kube-controller-manager")
DRAWN = ("Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob")
Kubectl = Callable[..., str]


@dataclass(frozen=True)
class Numbers:
    """What the page and kubectl have to agree on."""

    nodes: dict[str, tuple[str, str]]  # STATUS and the kubelet's version
    spaces: dict[str, tuple[str, ...]]  # phase; pods, Services and claims in it
    system: tuple[str, ...]  # pods of kube-system
    objects: dict[str, int]  # of each kind that the maps are drawn from
    ready: dict[tuple[str, str], str]  # endpoints of each Service: ready/all
    leaders: dict[str, str]  # the node in the Lease
    version: str


@dataclass(frozen=True)
class Live:
    """The pages in both languages, of one reading, and what kubectl said just before and just after it."""

    files: dict[str, Path]
    kubectls: Numbers


def written(kubeconfig: Path, kubectl: Kubectl, kcompanion: Callable[..., Ran], folder: Path) -> Live:
    """Reads again until kubectl says the same before and after, so that all three looked at the same cluster."""
    recording, files = folder / "live.kcr", {language: folder / f"live.{language}.html" for language in ("en", "ko")}
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        before = counted(kubectl, kubeconfig)
        ran = kcompanion("report", "-O", str(files["en"]), "--record", str(recording), kubeconfig=kubeconfig)
        assert ran.code == 0, ran.err
        if before == counted(kubectl, kubeconfig):
            ran = kcompanion("report", "-O", str(files["ko"]), "--from", str(recording), "--lang", "ko")
            assert ran.code == 0, ran.err
            return Live(files, before)
    pytest.fail(f"the cluster did not stand still for one reading within {PATIENCE:.0f} s")


def counted(kubectl: Kubectl, kubeconfig: Path) -> Numbers:
    """kubectl's numbers."""
    items = json.loads(kubectl("get", ",".join(LISTS), "-A", "-o", "json", kubeconfig=kubeconfig))["items"]
    kinds: dict[str, list[Any]] = {}
    for item in items:
        kinds.setdefault(item["kind"], []).append(item)
    words = [line.split() for line in kubectl("get", "nodes", "--no-headers", kubeconfig=kubeconfig).splitlines()]
    inside = {kind: Counter(one["metadata"]["namespace"] for one in kinds.get(kind, ())) for kind in
              ("Pod", "Service", "PersistentVolumeClaim")}  # fmt: skip
    phases = {one["metadata"]["name"]: one["status"]["phase"] for one in kinds["Namespace"]}
    return Numbers(
        {row[0]: (row[1], row[4]) for row in words},
        {name: (phase, *(str(one[name]) for one in inside.values())) for name, phase in phases.items()},
        tuple(sorted(p["metadata"]["name"] for p in kinds["Pod"] if p["metadata"]["namespace"] == "kube-system")),
        {kind: len(kinds[kind]) for kind in DRAWN if kind in kinds},
        _ready(kinds["EndpointSlice"]),
        {name: _holder(name, kubectl, kubeconfig) for name in LEADERS},
        json.loads(kubectl("version", "-o", "json", kubeconfig=kubeconfig))["serverVersion"]["gitVersion"],
    )


def _ready(slices: list[Any]) -> dict[tuple[str, str], str]:
    told: dict[tuple[str, str], list[bool]] = {}
    for one in slices:
        service = one["metadata"]["labels"]["kubernetes.io/service-name"]
        states = [end["conditions"].get("ready") is not False for end in one["endpoints"] or ()]
        told.setdefault((one["metadata"]["namespace"], service), []).extend(states)
    return {key: f"{sum(states)}/{len(states)}" for key, states in told.items()}


def _holder(lease: str, kubectl: Kubectl, kubeconfig: Path) -> str:
    words = ("get", "lease", lease, "-n", "kube-system", "-o", "jsonpath={.spec.holderIdentity}")
    return kubectl(*words, kubeconfig=kubeconfig).rpartition("_")[0]


def shown(page: Page) -> Numbers:
    """The same numbers as the page shows them."""
    states = rows(page, "nodes", "NODE", "STATUS", "LEASE")
    kubelets = {row["NODE"]: row["KUBELET"] for row in rows(page, "nodes", "NODE", "KUBELET", "RUNTIME")}
    workloads = page.locator("section#workloads").inner_text()
    of_kind = dict.fromkeys(DRAWN, 0)
    for kind in DRAWN:
        before = workloads.partition(f" {kind}")[0].split()  # "… 12 DaemonSet, 3 Deployment, …"
        of_kind[kind] = int(before[-1]) if before and before[-1].isdigit() else 0
    return Numbers(
        {row["NODE"]: (row["STATUS"], kubelets[row["NODE"]]) for row in states},
        {
            row["NAMESPACE"]: (row["PHASE"], row["PODS"], row["SERVICES"], row["CLAIMS"])
            for row in rows(page, "namespaces", "NAMESPACE", "PHASE")
        },
        tuple(sorted(row["POD"] for row in rows(page, "nodes", "POD", "ROLE"))),
        {kind: count for kind, count in of_kind.items() if count},
        {
            (row["NAMESPACE"], row["SERVICE"]): row["READY"]
            for row in rows(page, "services", "SERVICE", "READY")
            if row["TYPE"] != "ExternalName"
        },
        {row["COMPONENT"]: row["LEADER"] for row in rows(page, "control-plane", "COMPONENT", "LEADER")},
        page.locator("dl dd").all_inner_texts()[4],
    )


def as_kubectl_says(browser: Browser, live: Live, language: str) -> None:
    """Every chapter is there, nothing is asked or complained of, and the numbers are kubectl's."""
    with opened(browser, live.files[language], viewport={"width": 1600, "height": 1000}) as page:
        for chapter in ("summary", "picture", *CHAPTERS):
            assert page.locator(f"section#{chapter}").inner_text().strip(), chapter
        assert page.locator("html").get_attribute("lang") == language
        drawn = page.locator("#picture svg").text_content() or ""
        assert [name for name in live.kubectls.nodes if name not in drawn] == []
        assert shown(page) == live.kubectls


def looks_right(browser: Browser, live: Live, folder: Path) -> None:
    """It fits narrow and wide windows, light and dark, and paper."""
    for language, scheme, width in (("en", "dark", 390), ("ko", "light", 390), ("en", "light", 1600)):
        window = {"width": width, "height": 900}
        with opened(browser, live.files[language], color_scheme=scheme, viewport=window) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.pdf(path=folder / "page.pdf", format="A4")
            assert (folder / "page.pdf").read_bytes().startswith(b"%PDF")
