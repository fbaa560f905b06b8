"""`whoami` on the real cluster, against kubectl and openssl on the node."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.cluster


def on_control_plane(script: str) -> str:
    words = ["docker", "exec", "kcompanion-control-plane", "sh", "-c", script]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture(scope="module")
def answer(cluster: Path, kcompanion: Callable[..., Any]) -> dict[str, Any]:
    done = kcompanion("whoami", "-o", "json", kubeconfig=cluster)
    assert (done.code, done.err) == (0, "")
    body: dict[str, Any] = json.loads(done.out)
    return body


def test_the_user_is_what_kubectl_is_told(answer: dict[str, Any], kubectl: Callable[..., str]) -> None:
    told = json.loads(kubectl("auth", "whoami", "-o", "json"))["status"]["userInfo"]
    assert (answer["user"], answer["groups"]) == (told["username"], told["groups"])
    assert answer["extraKeys"] == sorted(told.get("extra", {}))


def test_the_hash_is_openssls_on_the_node(answer: dict[str, Any]) -> None:
    pem = on_control_plane("cat /etc/kubernetes/pki/ca.crt").encode()
    public = subprocess.run(["openssl", "x509", "-pubkey", "-noout"], input=pem, capture_output=True, check=True)
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "der"], input=public.stdout, capture_output=True, check=True
    )
    digest = subprocess.run(["sha256sum"], input=der.stdout, capture_output=True, check=True).stdout.split()[0].decode()
    assert answer["join"]["caCertHash"] == f"sha256:{digest}" == answer["join"]["rootCaHash"]


def test_tokens_are_the_secrets_without_their_names(
    answer: dict[str, Any], kubectl: Callable[..., str], kcompanion: Callable[..., Any], cluster: Path
) -> None:
    field = "--field-selector=type=bootstrap.kubernetes.io/token"
    secrets = json.loads(kubectl("get", "secrets", "-n", "kube-system", field, "-o", "json"))["items"]
    assert len(answer["join"]["bootstrapTokens"]) == len(secrets) > 0
    out = kcompanion("whoami", kubeconfig=cluster).out + json.dumps(answer)
    for secret in secrets:
        assert secret["metadata"]["name"].removeprefix("bootstrap-token-") not in out


def test_impersonation_is_shown(kcompanion: Callable[..., Any], cluster: Path) -> None:
    done = kcompanion("whoami", "-o", "json", "--as", "jane", "--as-group", "devs", kubeconfig=cluster)
    body = json.loads(done.out)
    assert (done.code, body["user"]) == (0, "jane")
    assert body["impersonating"] == {"user": "jane", "groups": ["devs"]}
    assert body["join"]["bootstrapTokens"] is None
    assert {gap["reason"] for gap in body["gaps"]} == {"forbidden"}


def test_a_recording_says_the_same_and_holds_no_token(
    kcompanion: Callable[..., Any], cluster: Path, tmp_path: Path
) -> None:
    file = str(tmp_path / "w.kcr")
    live = kcompanion("whoami", "--record", file, kubeconfig=cluster)
    assert kcompanion("whoami", "--from", file).out == live.out
