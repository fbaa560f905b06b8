"""Whether our columns are kubectl's: the API server's own Table, which carries the objects its rows were made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kcompanion.cluster.connect import Target, connect
from kcompanion.cluster.transport import Transport
from kcompanion.explain.pod import Pod
from kcompanion.model.times import human_age, seconds_between

TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"


def differing(kubeconfig: Path) -> tuple[int, list[str]]:
    """How many pods were compared, and every cell of READY, STATUS, RESTARTS or AGE that is not ours."""
    server = Transport(connect(Target(kubeconfig=str(kubeconfig))))
    response = server.request("/api/v1/pods?includeObject=Object", accept=TABLE, timeout=30)
    table = json.loads(response.body)
    names = [column["name"] for column in table["columnDefinitions"]]
    now = response.date
    assert now is not None
    wrong: list[str] = []
    for row in table["rows"]:
        cells = dict(zip(names, row["cells"], strict=True))
        pod = Pod(row["object"])
        ours = {"Ready": "{}/{}".format(*pod.ready_count), "Status": pod.status_word}
        wrong += [f"{pod.ref} {k}: {cells[k]!r}, ours {v!r}" for k, v in ours.items() if cells[k] != v]
        age = seconds_between(pod.raw["metadata"]["creationTimestamp"], now)
        if not _same_age(cells["Age"], age):
            wrong.append(f"{pod.ref} Age: {cells['Age']!r}, ours {age}")
    return len(table["rows"]), wrong


def _same_age(cell: Any, seconds: int | None) -> bool:
    """The row was made a moment before the Date header was written."""
    return seconds is not None and cell in {human_age(seconds + shift) for shift in (-2, -1, 0, 1)}
