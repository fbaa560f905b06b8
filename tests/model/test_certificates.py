"""What certificates say of themselves."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kcompanion.model.certificates import facts_of_der, facts_of_pem
from tests.pki import LONG_AGO, Authority


def test_facts(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ends = LONG_AGO.replace(year=2030)
    certificate, _ = authority.issue("api", "10.0.0.1", "api.example.org", ends=ends)
    (facts,) = facts_of_pem(f"# a comment\n{certificate.read_text()}")
    assert facts["subject"] == "CN=api"
    assert facts["issuer"] == "CN=test-ca"
    assert facts["notAfter"] == "2030-01-01T00:00:00Z"
    assert facts["names"] == ["10.0.0.1", "api.example.org"]
    assert facts["publicKeyHash"].startswith("sha256:")
    der = x509.load_pem_x509_certificate(certificate.read_bytes()).public_bytes(Encoding.DER)
    assert facts_of_der(der) == facts


def test_bundles_keep_what_can_be_read(tmp_path: Path) -> None:
    pem = Authority(tmp_path).pem
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    assert [facts["subject"] for facts in facts_of_pem(pem + broken + pem)] == ["CN=test-ca"] * 2
    assert facts_of_pem("nothing") == []
    assert facts_of_der(b"junk") is None
