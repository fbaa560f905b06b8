"""Credentials from an exec plugin (`aws eks get-token`, `gke-gcloud-auth-plugin`, …).

Run here and not by the official client, which logs a failure and then goes on anonymously, and which waits without
limit. Protocol: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kcompanion.errors import BadKubeconfig
from kcompanion.model.fields import maps_at, text_at

PATIENCE = 120.0  # seconds at a terminal: a person may have to type a code


def credentials(
    plugin: Mapping[str, Any], cluster: Mapping[str, Any], environ: Mapping[str, str], timeout: float
) -> dict[str, str]:
    """The user entry (token, client certificate or both) that the plugin of a kubeconfig gives.

    Raises:
        BadKubeconfig: the plugin is missing, fails, hangs, or does not speak the protocol.
    """
    command = str(plugin.get("command") or "")
    name = command.rpartition("/")[2] or "(no command)"
    status = _status(_run(plugin, cluster, environ, name, timeout), name)
    found: dict[str, str] = {}
    if token := status.get("token"):
        found["token"] = str(token)
    certificate, key = status.get("clientCertificateData"), status.get("clientKeyData")
    if certificate and key:
        found["client-certificate-data"] = base64.b64encode(str(certificate).encode()).decode()
        found["client-key-data"] = base64.b64encode(str(key).encode()).decode()
    if not found:
        raise BadKubeconfig(f"the exec plugin {name} gave neither a token nor a certificate", _HINT)
    return found


_HINT = "run the command in users[].user.exec of your kubeconfig by hand to see why"


def _run(
    plugin: Mapping[str, Any],
    cluster: Mapping[str, Any],
    environ: Mapping[str, str],
    name: str,
    timeout: float,
) -> str:
    interactive = sys.stdin is not None and sys.stdin.isatty()
    if plugin.get("interactiveMode") == "Always" and not interactive:
        raise BadKubeconfig(f"the exec plugin {name} wants a terminal", "run kcompanion in one")
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = _cluster_info(cluster)
    info = {"apiVersion": plugin.get("apiVersion"), "kind": "ExecCredential", "spec": spec}
    extra = {text_at(entry, "name"): text_at(entry, "value") for entry in maps_at(plugin, "env")}
    words = [str(plugin.get("command") or ""), *(str(arg) for arg in plugin.get("args") or [])]
    limit = max(PATIENCE, timeout) if interactive else timeout
    try:
        done = subprocess.run(  # noqa: S603 - the kubeconfig's owner asks for exactly this program
            words,
            env={**environ, **extra, "KUBERNETES_EXEC_INFO": json.dumps(info)},
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if interactive else subprocess.PIPE,  # "open this page and type that code"
            timeout=limit,
            check=False,
        )
    except FileNotFoundError as error:
        hint = str(plugin.get("installHint") or "").strip().splitlines()
        raise BadKubeconfig(
            f"the exec plugin {name} of the kubeconfig is not installed", hint[0] if hint else _HINT
        ) from error
    except OSError as error:
        raise BadKubeconfig(f"the exec plugin {name} cannot be run: {error.strerror}", _HINT) from error
    except subprocess.TimeoutExpired as error:
        raise BadKubeconfig(f"the exec plugin {name} did not end within {limit:.0f} s", _HINT) from error
    if done.returncode != 0:
        said = (done.stderr or b"").decode(errors="replace").strip().splitlines()
        last = f": {said[-1][:200]}" if said else ""
        raise BadKubeconfig(f"the exec plugin {name} ended with {done.returncode}{last}", _HINT)
    return done.stdout.decode(errors="replace")


def _cluster_info(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """The cluster as plugins want it: a CA file is handed over as data, and its `exec` extension as `config`."""
    names = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
    info = {key: cluster[key] for key in names if key in cluster}
    if "certificate-authority-data" not in info and (path := text_at(cluster, "certificate-authority")):
        try:
            info["certificate-authority-data"] = base64.b64encode(Path(path).read_bytes()).decode()
        except OSError as error:
            raise BadKubeconfig(
                f"the CA file {path} cannot be read: {error.strerror}", "check clusters[].cluster"
            ) from error
    for extension in maps_at(cluster, "extensions"):
        if extension.get("name") == "client.authentication.k8s.io/exec":
            info["config"] = extension.get("extension")
    return info


def _status(output: str, name: str) -> Mapping[str, Any]:
    try:
        answer = json.loads(output)
    except ValueError:
        answer = None
    status = answer.get("status") if isinstance(answer, dict) else None
    if not isinstance(status, dict):
        raise BadKubeconfig(f"the exec plugin {name} did not print an ExecCredential", _HINT)
    return status
