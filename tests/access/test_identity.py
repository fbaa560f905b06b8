from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from kcompanion.access.identity import ASKS, ROOT_CA, SELF, findings, identity
from kcompanion.controlplane import asks
from kcompanion.model.ask import Ask, Outcome, Reading
from kcompanion.model.snapshot import Snapshot
from tests.pki import Authority

NOW = datetime(2026, 11, 21, tzinfo=UTC)
USER = {"username": "jane", "groups": ["devs"], "extra": {"example.com/id": ["c4n4ry"]}}


def snapshot(bodies: dict[Ask, Any], **outcomes: Outcome) -> Snapshot:
    readings = {}
    for ask in ASKS:
        empty: Any = [] if ask.verb.value == "list" else None
        readings[ask.key] = Reading(ask, Outcome.OK, 200, body=bodies.get(ask, empty))
    if secrets := outcomes.get("secrets"):
        readings[asks.SECRETS.key] = Reading(asks.SECRETS, secrets)
    return Snapshot(NOW, readings=readings)


def told(**user: Any) -> dict[Ask, Any]:
    return {SELF: {"status": {"userInfo": {**USER, **user}}}}


def info(pem: str) -> dict[str, Any]:
    data = base64.b64encode(pem.encode()).decode()
    clusters = [{"cluster": {"certificate-authority-data": data, "server": "https://cp:6443"}}]
    return {"metadata": {"name": "cluster-info"}, "data": {"kubeconfig": yaml.safe_dump({"clusters": clusters})}}


def token(expiration: str | None, **usages: str) -> dict[str, Any]:
    data = {"token-id": "<scrubbed 6 bytes>", "token-secret": "<scrubbed 16 bytes>"}
    plain = {f"usage-bootstrap-{key}": value for key, value in usages.items()}
    if expiration:
        plain["expiration"] = expiration
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
    metadata = {"name": "bootstrap-token-abcdef"}
    return {"type": "bootstrap.kubernetes.io/token", "metadata": metadata, "data": {**data, **encoded}}


def test_who_the_api_server_takes_us_for_without_the_extra_values() -> None:
    found = identity(snapshot(told()))
    assert (found.user, found.groups, found.extra) == ("jane", ("devs",), ("example.com/id",))
    assert "c4n4ry" not in json.dumps(found.to_json())


def test_without_an_answer_nobody_is_named() -> None:
    assert identity(snapshot({})).user == ""


@pytest.mark.parametrize(
    ("user", "code"),
    [
        ({"username": "system:anonymous"}, "KC4012"),
        ({"groups": ["system:masters"]}, "KC4013"),
    ],
)
def test_users_that_deserve_a_word(user: dict[str, Any], code: str) -> None:
    assert {f.code for f in findings(identity(snapshot(told(**user))))} == {code}


def test_the_hash_is_compared_with_the_ca_that_pods_trust(tmp_path: Path) -> None:
    ours, other = Authority(tmp_path, "a"), Authority(tmp_path, "b")
    same = identity(snapshot({asks.CLUSTER_INFO: info(ours.pem), ROOT_CA: {"data": {"ca.crt": ours.pem}}}))
    assert same.join.hash.startswith("sha256:")
    assert same.join.hash == same.join.root_hash
    assert same.join.endpoint == "cp:6443"
    differing = identity(snapshot({asks.CLUSTER_INFO: info(ours.pem), ROOT_CA: {"data": {"ca.crt": other.pem}}}))
    assert {f.code for f in findings(differing)} == {"KC4014"}


def test_tokens_have_ends_and_usages_and_no_names() -> None:
    held = [token("2026-11-22T00:00:00Z", signing="true", authentication="true"), token(None)]
    found = identity(snapshot({asks.SECRETS: [*held, {"type": "Opaque"}]}))
    assert found.join.tokens is not None
    assert [(t.seconds, t.usages) for t in found.join.tokens] == [(86400, ("authentication", "signing")), (None, ())]
    assert "abcdef" not in json.dumps(found.to_json())
    assert {f.code for f in findings(found)} == {"KC4015"}


def test_secrets_that_may_not_be_listed_are_a_gap_and_not_no_tokens() -> None:
    assert identity(snapshot({}, secrets=Outcome.FORBIDDEN)).join.tokens is None
    assert identity(snapshot({})).join.tokens == ()


@pytest.mark.parametrize(("days", "code"), [(5, "KC4011"), (-5, "KC4010"), (90, None)])
def test_the_end_of_our_certificate(days: int, code: str | None) -> None:
    end = datetime.fromtimestamp(NOW.timestamp() + days * 86400, UTC).isoformat()
    found = identity(snapshot({**told(), asks.OWN_CERTIFICATE: {"subject": "CN=jane", "notAfter": end}}))
    assert found.days == days
    assert {f.code for f in findings(found)} == ({code} if code else set())
