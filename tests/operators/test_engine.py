"""The engine before a small server: what it does at the start, and how ready it calls itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcompanion.cluster.connect import Target
from kcompanion.errors import UsageError
from operators.replicaset.engine import Engine
from operators.replicaset.login import Logins
from operators.replicaset.settings import Settings
from operators.replicaset.witness import Witness
from tests.operators.loops import in_loop
from tests.servers import Answer, refusal, serving, write_kubeconfig


def engine(folder: Path, url: str, **settings: object) -> Engine:
    config = Target(kubeconfig=str(write_kubeconfig(folder / "config", url)))
    return Engine(Settings(connection=config, **settings), Logins(config), Witness())  # type: ignore[arg-type]


@in_loop
async def test_who_may_not_reach_the_shared_lease_is_told_what_to_do(tmp_path: Path) -> None:
    with serving() as api:
        api.answers["/version"] = Answer({})
        api.otherwise = refusal(403, "leases is forbidden")
        with pytest.raises(UsageError, match=r"kube-system/kcompanion-.*forbidden") as refused:
            await engine(tmp_path, api.url, namespace="shop").run()
    assert "--lease-namespace shop" in refused.value.hint
