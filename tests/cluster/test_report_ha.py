"""`report` on the real HA cluster: a file of its own, since who stops masters has that cluster alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.ha


def test_the_ha_picture_shows_three_of_each(
    ha_cluster: Path, kcompanion: Callable[..., Any], kubectl: Callable[..., str]
) -> None:
    body = json.loads(kcompanion("report", "-o", "json", kubeconfig=ha_cluster).out)
    names = kubectl("get", "nodes", "-o", "name", kubeconfig=ha_cluster).split()
    cards = [part for part in body["architecture"]["parts"] if part["id"].startswith("node")]
    assert sorted(f"node/{part['name']}" for part in cards) == sorted(names)
    assert body["controlPlane"]["etcd"]["quorum"]["members"] == 3
    proved = {(line["from"], line["to"]) for line in body["architecture"]["lines"] if line["proved"]}
    assert {("kube-scheduler", "kube-apiserver"), ("kube-controller-manager", "kube-apiserver")} <= proved
    holder = kubectl("get", "lease", "kube-scheduler", "-n", "kube-system", "-o",
                     "jsonpath={.spec.holderIdentity}", kubeconfig=ha_cluster)  # fmt: skip
    scheduler = next(one for one in body["controlPlane"]["components"] if one["name"] == "kube-scheduler")
    assert scheduler["leader"]["holder"] == holder
