"""What is a secret in a text and what only sounds like one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompanion.cluster import secrets

# A canary of 16: no word, no number, no path.
CANARY = "c4naRyX9q2LmZ7wP"


@pytest.mark.parametrize(
    "text",
    [
        f"--token={CANARY}",
        f"--token {CANARY}",
        f"--db-password={CANARY}",
        f"--password '{CANARY}'",
        f'--client-secret="{CANARY}"',
        f"PGPASSWORD={CANARY} psql",
        f"export GITHUB_TOKEN={CANARY};",
        f"DB_PASS={CANARY}",
        f"AWS_SECRET_ACCESS_KEY={CANARY}",
        f"apiKey: {CANARY}",
        f'{{"password": "{CANARY}"}}',
        f'{{"clientSecret":"{CANARY}"}}',
        f"password: {CANARY}",
        f"https://host/path?x=1&token={CANARY}&y=2",
        f"https://user:{CANARY}@host/path",
        f"https://{CANARY}@github.com/x",
        f"Authorization: Bearer {CANARY}",
        f"authorization: token {CANARY}",
        f"Basic {CANARY}==",
        f"curl -H 'X-Api-Key: {CANARY}'",
        f"eyJhbGciOiJIUzI1NiJ9.{CANARY}.{CANARY}",
        f"ghp_{CANARY}{CANARY}",
        f"glpat-{CANARY}",
        "-----BEGIN RSA PRIVATE KEY-----\n" + CANARY + "\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n" + CANARY,
        f"failed: --password={CANARY}",
        f"error: token={CANARY}",
        f'{{"password":"{CANARY}',
        f"redis://:{CANARY}@redis:6379",
    ],
)
def test_secrets_go(text: str) -> None:
    assert CANARY not in secrets.text(text)
    assert "<scrubbed>" in secrets.text(text)


def test_bootstrap_tokens_go() -> None:
    assert "0123456789abcdef" not in secrets.text("kubeadm join --discovery abcdef.0123456789abcdef")


@pytest.mark.parametrize(
    "text",
    [
        "--service-account-key-file=/etc/kubernetes/pki/sa.pub",
        "--service-account-signing-key-file=/etc/kubernetes/pki/sa.key",
        "--authorization-mode=Node,RBAC",
        "--token-auth-file=/etc/kubernetes/tokens.csv",
        "--enable-bootstrap-token-auth=true",
        "--authentication-token-webhook-cache-ttl=10s",
        "--use-service-account-credentials=true",
        "--kubelet-client-key=/etc/kubernetes/pki/apiserver-kubelet-client.key",
        "--tls-private-key-file=/etc/kubernetes/pki/apiserver.key",
        "--requestheader-allowed-names=front-proxy-client",
        "--client-cert-auth=true",
        "--etcd-keyfile=/etc/kubernetes/pki/apiserver-etcd-client.key",
        "--encryption-provider-config=/etc/kubernetes/enc.yaml",
        "--cluster-signing-key-file=/etc/kubernetes/pki/ca.key",
        "--anonymous-auth=false",
        "authentication:\n  anonymous:\n    enabled: false\nauthorization:\n  mode: Webhook",
        "    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t",
        "tokenTTL: 24h0m0s",
        'secret "db-credentials" not found',
        "couldn't find key password in Secret shop/db",
        'MountVolume.SetUp failed for volume "tls" : secret "tls-cert" not found',
        "failed to sync secret cache: timed out waiting for the condition",
        "pull access denied, repository does not exist or may require authorization: server message: denied",
        "insufficient_scope: authorization failed",
        "basic authentication failed",
        "invalid bearer token: expired",
        "serviceaccount token: unable to fetch token",
        'Back-off pulling image "docker.io/library/secret:1.2"',
        "Unable to authenticate the request due to an error: authentication required",
        "tokens: 5",
        "the bypass=on flag, the compass: north",
        "registry.k8s.io/kube-apiserver:v1.36.3@sha256:0123456789abcdef0123456789abcdef",
        "auto-created by the auth layer; author: jane",
        "key: value",
        "error: the key of the map: x",
    ],
)
def test_what_only_sounds_secret_stays(text: str) -> None:
    assert secrets.text(text) == text


def test_arguments_in_two_words() -> None:
    words = ["--token", CANARY, "--password", CANARY, "--secret", "/etc/secret/file", "--token", "--verbose", "x"]
    cleaned = secrets.arguments([*words, 7, None])
    assert CANARY not in cleaned
    assert cleaned[4:] == ["--secret", "/etc/secret/file", "--token", "--verbose", "x", 7, None]


def test_a_shell_line_in_an_argument() -> None:
    cleaned = secrets.arguments(["sh", "-c", f"login --password {CANARY} && run"])
    assert cleaned == ["sh", "-c", "login --password <scrubbed> && run"]


words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60)
values = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_", min_size=12, max_size=40).map(
    lambda text: f"Q{text}9"
)


@settings(max_examples=60, deadline=None)
@given(words)
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    once = secrets.text(text)
    assert secrets.text(once) == once


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["--token=", "DB_PASSWORD=", "--api-key ", "Authorization: Bearer ", '"secret": "']), values, words
)
def test_a_secret_after_its_name_never_survives(name: str, value: str, around: str) -> None:
    assert value not in secrets.text(f"{around.replace(value, '')} {name}{value}")
