"""What a certificate says of itself, as plain facts (names, dates, digests)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from kcompanion.model.times import format_time

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def facts_of_pem(text: str) -> list[Mapping[str, Any]]:
    """The facts of every certificate in a PEM text; blocks that cannot be read are left out."""
    from cryptography import x509  # noqa: PLC0415 - 40 ms, and only few commands need it

    found: list[Mapping[str, Any]] = []
    for block in _PEM.findall(text):
        try:
            found.append(_facts(x509.load_pem_x509_certificate(block.encode())))
        except ValueError:
            continue
    return found


def facts_of_der(data: bytes) -> Mapping[str, Any] | None:
    """The facts of one DER certificate (as a TLS handshake gives it), None when it cannot be read."""
    from cryptography import x509  # noqa: PLC0415 - as above

    try:
        return _facts(x509.load_der_x509_certificate(data))
    except ValueError:
        return None


def _facts(certificate: Any) -> dict[str, Any]:  # noqa: ANN401 - x509.Certificate, imported lazily
    return {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "notBefore": format_time(certificate.not_valid_before_utc),
        "notAfter": format_time(certificate.not_valid_after_utc),
        "names": _alternative_names(certificate),
        # the value of `kubeadm join --discovery-token-ca-cert-hash` when the certificate is the cluster's CA
        "publicKeyHash": _public_key_hash(certificate),
    }


def _public_key_hash(certificate: Any) -> str:  # noqa: ANN401 - as above
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives import serialization as ser  # noqa: PLC0415

    try:
        key = certificate.public_key().public_bytes(ser.Encoding.DER, ser.PublicFormat.SubjectPublicKeyInfo)
    except (UnsupportedAlgorithm, ValueError):  # a curve this OpenSSL does not know; the dates still count
        return ""
    return "sha256:" + hashlib.sha256(key).hexdigest()


def _alternative_names(certificate: Any) -> list[str]:  # noqa: ANN401 - as above
    from cryptography import x509  # noqa: PLC0415

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return sorted(str(name.value) for name in names)
