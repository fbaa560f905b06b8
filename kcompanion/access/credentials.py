"""What a user entry of a kubeconfig proves itself with: the kind, and the certificate's dates. Never the secret."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kcompanion.model.certificates import facts_of_pem
from kcompanion.model.fields import text_at
from kcompanion.model.times import parse_time

Reader = Callable[[str], str | None]  # the text of a file, None when it cannot be read

# (field of the user entry, kind). Several may be given; the order is that of kubectl's own checks.
_KINDS: tuple[tuple[str, str], ...] = (
    ("client-certificate-data", "certificate"),
    ("client-certificate", "certificate"),
    ("token", "token"),
    ("tokenFile", "token-file"),
    ("exec", "exec"),
    ("auth-provider", "auth-provider"),
    ("username", "basic"),
)


@dataclass(frozen=True, slots=True)
class Credential:
    """The kinds of credentials (empty: anonymous), what may be said of them, and a certificate's facts."""

    kinds: tuple[str, ...]
    program: str = ""  # the exec plugin's name, without arguments
    certificate: Mapping[str, Any] | None = None
    unreadable: bool = False  # a certificate is named, and cannot be read

    @property
    def not_after(self) -> str:
        return str((self.certificate or {}).get("notAfter") or "")

    def to_json(self) -> dict[str, Any]:
        return {
            "kinds": list(self.kinds),
            "execPlugin": self.program or None,
            "certificate": dict(self.certificate) if self.certificate else None,
            "unreadable": self.unreadable,
        }


def credential(user: Mapping[str, Any], read: Reader) -> Credential:
    """The credentials of a user entry; runs nothing and asks nobody."""
    kinds = tuple(dict.fromkeys(kind for field, kind in _KINDS if user.get(field)))
    program = text_at(user, "exec", "command").rpartition("/")[2]
    if "certificate" not in kinds:
        return Credential(kinds, program)
    found = certificate(user, "client-certificate", read)
    return Credential(kinds, program, found, unreadable=found is None)


def certificate(entry: Mapping[str, Any], field: str, read: Reader) -> Mapping[str, Any] | None:
    """The first certificate under `FIELD-data` (base64) or in the file named by FIELD."""
    data = text_at(entry, f"{field}-data")
    if data:
        try:
            text: str | None = base64.b64decode(data).decode(errors="replace")
        except (binascii.Error, ValueError):
            return None
    else:
        text = read(text_at(entry, field)) if entry.get(field) else None
    found = facts_of_pem(text or "")
    return found[0] if found else None


def days_left(not_after: str, now: datetime) -> int | None:
    """Whole days until a certificate ends, negative when it has ended; None if there is no date."""
    end = parse_time(not_after)
    return None if end is None else int((end - now).total_seconds() // 86400)
