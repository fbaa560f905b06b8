"""A large list costs little more memory than its objects."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.servers import Answer, Api, write_kubeconfig

ROOT = Path(__file__).resolve().parents[2]
PODS, PAGE = 2000, 500
LIMIT = 80  # MB; 5,000 pods of 6 kB were measured at 92 MB beyond Python and the client

_READ = """
import sys
from kcompanion.cluster.connect import Target, connect
from kcompanion.cluster.live import LiveSource
from kcompanion.cluster.parallel import Deadline
from kcompanion.model.ask import listing
from kcompanion.model.resources import PODS
from tests.peak import peak_kib

connection = connect(Target(kubeconfig=sys.argv[1]))
before, ask = peak_kib(), listing(PODS)
reading = LiveSource(connection, request_timeout=60, deadline=Deadline(60)).read([ask])[ask.key]
print(len(reading.body), (peak_kib() - before) >> 10)
"""


def pod(number: int) -> dict[str, Any]:
    """About 6 kB, as Deployments' pods have."""
    fields: dict[str, Any] = {f"f:x{n}": {'k:{"name":"c"}': {".": {}, "f:image": {}}, "f:y": {}} for n in range(24)}
    env = [{"name": f"VAR_{n}", "value": "v" * 12} for n in range(20)]
    container = {"name": "c", "image": "registry.example/web:1", "env": env, "args": ["--port=8080"]}
    conditions = [{"type": f"T{n}", "status": "True", "lastTransitionTime": "2026-11-21T06:00:10Z"} for n in range(5)]
    return {
        "metadata": {
            "name": f"web-{number}",
            "uid": f"u-{number}",
            "managedFields": [{"fieldsV1": {"f:spec": fields}}] * 2,
        },
        "spec": {"nodeName": f"node-{number % 100}", "containers": [container] * 2},
        "status": {"podIP": f"10.0.{number // 250}.{number % 250}", "conditions": conditions},
    }


def test_thousands_of_pods(api: Api, tmp_path: Path) -> None:
    pages = {
        str(start) if start else "": json.dumps(
            {
                "metadata": {"continue": str(start + PAGE) if start + PAGE < PODS else ""},
                "items": [pod(number) for number in range(start, start + PAGE)],
            }
        )
        for start in range(0, PODS, PAGE)
    }
    assert len(pages[""]) > 5000 * PAGE
    api.answers["/api/v1/pods"] = lambda request: Answer(pages[request.query.get("continue", "")])
    config = write_kubeconfig(tmp_path / "config", api.url)
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(config)], capture_output=True, text=True, cwd=ROOT, check=True, timeout=170
    )
    count, grown = map(int, done.stdout.split())
    assert count == PODS
    assert grown < LIMIT
