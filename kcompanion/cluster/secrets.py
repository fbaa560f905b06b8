"""Which words of a text are secrets: tokens, passwords and credentials in arguments, messages and addresses.

Two mistakes are possible, and both are tested. A secret that stays is one; a flag or a sentence that becomes
unreadable (`--service-account-key-file=/etc/…`, "authorization failed") is the other.
"""

from __future__ import annotations

import re
from functools import lru_cache

SCRUBBED = "<scrubbed>"

# A key is secret by its last word or two: `db-password`, `GITHUB_TOKEN`, `apiKey`; not `token-auth-file`, `secretName`.
_SECRET_KEY = re.compile(
    r"(?:token|password|passwd|passphrase|secret|credential|"
    r"(?:api|access|account|private|secret|encryption|signing|license|auth|master|shared|storage)[-_.]?key|"
    r"(?:^|[-_.])(?:pass|pwd|cookie|signature|sig))s?$|(?-i:[A-Z]PASS)$",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# What follows a secret key but says where the secret is, not what it is.
_PLACE = re.compile(r"/(?:var|etc|run|home|opt|usr|srv|mnt|tmp|vault|secrets?|data|app)/")
_PASSWORD = re.compile(r"(?i)pass(?:word|wd|phrase)?$|pwd$")
_WORD = re.compile(r"[a-z]+")
_REFERENCE = re.compile(r"[a-z0-9-]+/[a-z0-9.-]+")
_TAG = re.compile(r"v?[0-9]+(?:\.[0-9]+)*(?:-[a-z0-9.]+)?(?:@sha256:[0-9a-f]+)?|latest")

# Words that end in what may be a secret's name; is_secret_key has the last word. Matched from a word's start only, so
# that long texts cost little, and other words do not swallow what follows them ("failed: --password=x").
_KEY = r"(?<![\w.-])[\w.-]*(?:token|passw(?:or)?d|passphrase|secret|credential|key|pass|pwd|cookie|signature|sig)s?"
# Messages get cut off: a quote need not be closed.
_QUOTED = r"""\"[^"\n]*"?|'[^'\n]*'?"""
# `--token=x`, `PGPASSWORD=x`, `"password": "x"`, `token: x`
_PAIR = re.compile(
    rf"""(?i)(?P<key>{_KEY})(?P<mid>["']?[ \t]*(?:=|:(?!//))[ \t]*)(?P<value>{_QUOTED}|[^\s"',;&)}}\]]+)"""
)
_FLAG = re.compile(rf"""(?i)(?P<key>(?=-){_KEY})(?P<mid>[ \t]+)(?P<value>{_QUOTED}|[^\s"',;&-][^\s"',;&]*)""")
_SCHEME = re.compile(r"(?i)\b(?P<mid>(?:bearer|basic|authorization:[ \t]*[a-z]+)[ \t]+)(?P<value>[\w.~+/=-]{6,})")
_SHAPES = re.compile(
    r"\beyJ[\w-]{8,}\.[\w-]{5,}(?:\.[\w-]*)?"  # a JWT
    r"|\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16})\b"
    r"|\b[a-z0-9]{6}\.(?=[a-z]*[0-9])[a-z0-9]{16}\b"  # a bootstrap token
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
)
_LOGIN = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s@\"']+@")  # user:password@host
# Most texts hold none of these; looking for them first keeps a list of 5,000 pods cheap.
_TRIGGER = re.compile(
    r"(?i)token|pass|pwd|secret|key|credential|cookie|signature|bearer|basic|authorization|://[^/\s]*@|eyJ|"
    r"gh[pousr]_|github_pat_|glpat-|xox|AKIA|[a-z0-9]{6}\.[a-z0-9]{16}"
)


@lru_cache(maxsize=4096)
def is_secret_key(key: str) -> bool:
    """Whether a value under this key (flag, variable, field) is a secret itself, not a place or a setting."""
    return bool(_SECRET_KEY.search(_CAMEL.sub("-", key)))


def text(value: str) -> str:
    """A message or argument without tokens, passwords and credentials in URLs."""
    return _text_again(value) if len(value) < 200 else _text(value)


def _text(value: str) -> str:
    if not _TRIGGER.search(value):
        return value
    value = _LOGIN.sub(rf"\1{SCRUBBED}@", value)
    value = _SHAPES.sub(SCRUBBED, value)
    value = _SCHEME.sub(_without_scheme_value, value)
    value = _PAIR.sub(_without_pair_value, value)
    return _FLAG.sub(_without_pair_value, value)


_text_again = lru_cache(maxsize=4096)(_text)  # the pods of a workload say the same thousands of times


def _without_scheme_value(match: re.Match[str]) -> str:
    # "basic authentication failed" is a sentence, "Basic dXNlcjpwdw" a credential
    return match[0] if _WORD.fullmatch(match["value"]) else match["mid"] + SCRUBBED


def _without_pair_value(match: re.Match[str]) -> str:
    key, middle, value = match["key"], match["mid"], match["value"]
    if not is_secret_key(key) or not _is_secret_value(key, middle, value.strip("\"'")):
        return match[0]
    opening = value[0] if value[0] in "\"'" else ""
    closing = opening if opening and len(value) > 1 and value.endswith(opening) else ""
    return f"{key}{middle}{opening}{SCRUBBED}{closing}"


def _is_secret_value(key: str, middle: str, value: str) -> bool:
    if not value or value == SCRUBBED or _PLACE.match(value) or value.lower() in ("true", "false"):
        return False
    if ":" not in middle or set("\"'") & set(middle) or _PASSWORD.search(key):
        return True
    # What is left is prose: "invalid bearer token: expired", "secret: default/db", "tokens: 5", an image `secret:1.2`
    return not (_WORD.fullmatch(value) or _REFERENCE.fullmatch(value) or value.isdecimal() or _TAG.fullmatch(value))


def arguments(words: list[object]) -> list[object]:
    """Arguments without secrets, also where flag and value are two words."""
    cleaned: list[object] = []
    secret_next = False
    for word in words:
        if not isinstance(word, str):
            cleaned.append(word)
            continue
        is_value = secret_next and not word.startswith("-") and not _PLACE.match(word)
        cleaned.append(SCRUBBED if is_value else text(word))
        secret_next = word.startswith("-") and "=" not in word and " " not in word and is_secret_key(word)
    return cleaned
