"""ReplicaSet controllers as processes of their own on this machine, for a cluster whose own one is switched off.

The built-in one is kube-controller-manager with every other controller off, so that it can be stopped,
measured and replaced. It and ours act as the ServiceAccount that the built-in one has in a usual cluster:
the same rights, the same priority at the API server, and the name that the audit log of the cluster keeps.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab import gobuild, versions
from lab.shell import LabError, run

ACCOUNT = "replicaset-controller"
USER = f"system:serviceaccount:kube-system:{ACCOUNT}"
READY_PATIENCE = 180.0  # twelve start at once, each with seconds of imports, on two cores
STOP_PATIENCE = 20.0

# The role of the built-in controller is there already; this is what elections and our own kind need beyond it.
_RULES = [
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
    {"apiGroups": ["kcompanion.dev"], "resources": ["companionreplicasets"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": ["kcompanion.dev"], "resources": ["companionreplicasets/status"], "verbs": ["update"]},
    {"apiGroups": ["kcompanion.dev"], "resources": ["companionreplicasets/finalizers"], "verbs": ["update"]},
]


class Controller:
    """One process; `start` returns when it says that it is ready."""

    def __init__(self, command: Sequence[str], log: Path, ready: str, env: Mapping[str, str] | None = None) -> None:
        self.command = list(command)
        self.log = log
        self.ready = ready
        self.env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def launch(self) -> None:
        """Starts the process and does not wait for it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self.env
            )

    def start(self) -> None:
        self.launch()
        self.wait_ready()

    def wait_ready(self, patience: float = READY_PATIENCE) -> None:
        end = time.monotonic() + patience
        while not self.is_ready():
            if not self.running:
                raise LabError(f"a controller that runs ({self.command[:3]} ended)", f"read {self.log}:\n{self.tail()}")
            if time.monotonic() > end:
                raise LabError(f"a controller that is ready within {patience:.0f} s", f"read {self.log}")
            time.sleep(0.1)

    def is_ready(self) -> bool:
        unchecked = ssl._create_unverified_context()  # noqa: S323 - a certificate it made up itself, on this machine
        # No proxies: it is on this machine. And looking for them reads the environment, which pytest changes meanwhile.
        straight = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=unchecked))
        try:
            with urllib.request.build_opener(*straight).open(self.ready, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """SIGSTOP and SIGCONT to hold it, SIGKILL to see what it leaves behind."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.wait()

    def wait(self, patience: float = STOP_PATIENCE) -> int:
        assert self._process is not None
        return self._process.wait(timeout=patience)

    def stop(self) -> int:
        """Ends it as a user would and returns its exit code; one that does not end in time is killed."""
        if self._process is None or not self.running:
            return 0
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL

    def tail(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> Controller:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def built_in(kubeconfig: Path, log: Path, *, qps: float = 20, burst: int = 30, lease: str = "") -> Controller:
    """Kubernetes's own ReplicaSet controller and nothing else; with a `lease` it takes part in an election."""
    program = gobuild.family(versions.KUBERNETES_FAMILY) / "kube-controller-manager"
    port = free_port()
    election = [f"--leader-elect-resource-name={lease}"] if lease else []
    command = [
        str(program),
        f"--kubeconfig={kubeconfig}",
        "--controllers=replicaset-controller",
        f"--leader-elect={'true' if lease else 'false'}",
        *election,
        f"--kube-api-qps={qps}",
        f"--kube-api-burst={burst}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={log.parent}",
        "--authentication-skip-lookup=true",
        "--authorization-always-allow-paths=/healthz,/readyz,/livez,/metrics",
    ]
    return Controller(command, log, f"https://127.0.0.1:{port}/healthz")


def ours(kubeconfig: Path, log: Path, target: str, *flags: str, python: str = sys.executable) -> Controller:
    """Our operator for the target (`replicasets.apps` or our own kind): what `kcompanion operator run` starts."""
    address = f"127.0.0.1:{free_port()}"
    command = [python, "-m", "operators.replicaset", f"--target={target}", f"--kubeconfig={kubeconfig}"]
    scope = () if any(flag.startswith(("-n", "--namespace")) for flag in flags) else ("-A",)
    return Controller([*command, *scope, f"--listen={address}", *flags], log, f"http://{address}/readyz")


@contextmanager
def borrowed(admin: Path) -> Iterator[None]:
    """The built-in controller for as long as a cluster of this kind needs one to get its own add-ons going."""
    with tempfile.TemporaryDirectory() as folder:
        account = as_account(admin, Path(folder) / "kubeconfig")
        with built_in(account, Path(folder) / "controller.log"):
            yield


def as_account(admin: Path, target: Path) -> Path:
    """Writes a kubeconfig of the built-in controller's ServiceAccount, with a token for a day; returns its path."""
    as_admin = [str(gobuild.family(versions.KUBERNETES_FAMILY) / "kubectl"), f"--kubeconfig={admin}"]
    run([*as_admin, "apply", "--server-side", "--filename=-"], stdin=json.dumps(_account()).encode())
    token = run([*as_admin, "create", "token", ACCOUNT, "--namespace=kube-system", "--duration=24h"]).strip()
    config = json.loads(run([*as_admin, "config", "view", "--raw", "--minify", "--output=json"]))
    config["users"] = [{"name": ACCOUNT, "user": {"token": token}}]
    config["contexts"][0]["context"]["user"] = ACCOUNT
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=0o600)
    target.write_text(json.dumps(config))
    return target


def _account() -> dict[str, object]:
    name = {"name": "kcompanion-lab:replicaset-controller"}
    group = "rbac.authorization.k8s.io"
    account = {"name": ACCOUNT, "namespace": "kube-system"}
    items = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account},
        {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": name, "rules": _RULES},
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": name,
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", **name},
            "subjects": [{"kind": "ServiceAccount", **account}],
        },
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def free_port() -> int:
    """A port of this machine that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
