"""Recordings: the readings of a command in one compressed, versioned file, and a Source that answers from it.

The file is gzip over one JSON document with sorted keys and no time stamp of its own, so that the same readings give
the same bytes. Everything in it was scrubbed when it was read. Mode 0600: it still describes a cluster.
"""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from kcompanion import __version__
from kcompanion.errors import BadRecording, CompanionError
from kcompanion.model import discovery, resources
from kcompanion.model.ask import Ask, Outcome, Reading, Verb, listing
from kcompanion.model.fields import labels_of, name_of, namespace_of
from kcompanion.model.selectors import fields_match, matches
from kcompanion.model.snapshot import Origin, Snapshot
from kcompanion.model.times import format_time, parse_time

FORMAT = "kcompanion-recording"
VERSION = 1
# A gzip file of a few kB can claim terabytes. No cluster's JSON is that large, and none packs 200 to 1.
LIMIT = 1 << 29
SUSPECT, RATIO = 1 << 26, 200


def save(snapshot: Snapshot, path: Path) -> None:
    """Writes the recording whole or not at all.

    Raises:
        CompanionError: the file cannot be written.
    """
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=6, mtime=0) as file:
        for chunk in _chunks(snapshot):
            file.write(chunk.encode())
    write_whole(path, packed.getvalue(), mode=0o600)


def _chunks(snapshot: Snapshot) -> Iterator[str]:
    """The JSON document piece by piece: as one text, a large cluster would be in memory three times."""
    head = {"capturedAt": format_time(snapshot.now), "format": FORMAT, "origin": asdict(snapshot.origin)}
    yield _json(head)[:-1] + ',"readings":['
    for number, key in enumerate(sorted(snapshot.readings)):
        entry = _encode(snapshot.readings[key])
        answer = entry.pop("answer", None)
        yield ("," if number else "") + '{"answer":'
        if isinstance(answer, list):
            yield "["
            for place, item in enumerate(answer):
                yield ("," if place else "") + _json(item)
            yield "]"
        else:
            yield _json(answer)
        yield "," + _json(entry)[1:]
    yield "]," + _json({"version": VERSION, "writtenBy": f"kcompanion {__version__}"})[1:]


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Writes a file under a temporary name and renames it, so that nobody ever sees half of it."""
    with _writing(path):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).chmod(mode)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def refuse_unwritable(path: Path) -> None:
    """Raises CompanionError if `write_whole` could not write there: for what writes only after long work."""
    with _writing(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        tempfile.TemporaryFile(dir=path.parent).close()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CompanionError(
            f"{path} cannot be written: {error.strerror}", "name a file in a folder you may write to"
        ) from error


@dataclass(frozen=True)
class Header:
    """What a file says of itself."""

    version: int
    written_by: str
    size: int


def load(path: Path) -> Snapshot:
    """Reads a recording.

    Raises:
        BadRecording: the file is missing, cut off, not ours, or of a newer version.
    """
    return load_with_header(path)[0]


def load_with_header(path: Path) -> tuple[Snapshot, Header]:
    """Reads a recording and what is said about it.

    Raises:
        BadRecording: as `load`.
    """
    document = _document(path)
    captured = parse_time(document.get("capturedAt"))
    origin = document.get("origin")
    if captured is None or not isinstance(origin, dict):
        raise BadRecording(f"{path} lacks its date or origin", _HINT)
    try:
        readings = [_decode(entry) for entry in document.get("readings", [])]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadRecording(f"{path} holds a reading that cannot be understood", _HINT) from error
    snapshot = Snapshot(captured, _origin(origin), {reading.ask.key: reading for reading in readings})
    header = Header(document["version"], str(document.get("writtenBy", "")), path.stat().st_size)
    return snapshot, header


def _origin(entry: Mapping[str, Any]) -> Origin:
    texts = {key: str(value) for key, value in entry.items() if key in Origin.__dataclass_fields__}
    return Origin(**{**texts, "anonymized": entry.get("anonymized") is True})  # type: ignore[arg-type]


_HINT = "make a new one with `kcompanion snapshot save FILE`"
_NAMES = "name a file that can be read, or demo:NAME for a recording that is shipped"


def _document(path: Path) -> Mapping[str, Any]:
    try:
        data = _unpacked(path)
    except FileNotFoundError as error:
        raise BadRecording(f"there is no file {path}", _NAMES) from error
    except gzip.BadGzipFile as error:
        raise BadRecording(f"{path} is not a recording", _HINT) from error
    except (EOFError, zlib.error) as error:
        raise BadRecording(f"{path} is cut off", _HINT) from error
    except OSError as error:
        raise BadRecording(f"{path} cannot be read: {error.strerror}", _NAMES) from error
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadRecording(f"{path} is not a recording", _HINT) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadRecording(f"{path} is not a recording", _HINT)
    if document.get("version") not in range(1, VERSION + 1):
        raise BadRecording(
            f"{path} has format version {document.get('version')}, this kcompanion reads up to {VERSION}",
            "use a newer kcompanion",
        )
    return document


def _unpacked(path: Path) -> bytes:
    chunks, size = [], 0
    with gzip.open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            chunks.append(chunk)
            size += len(chunk)
            if size > LIMIT or (size > SUSPECT and size > RATIO * path.stat().st_size):
                raise BadRecording(f"{path} unpacks to more than any cluster's recording ({size >> 20} MiB)", _HINT)
    return b"".join(chunks)


_ASK_TEXTS = ("namespace", "name", "selector", "fields", "path", "server", "body")


def _encode(reading: Reading) -> dict[str, Any]:
    ask = reading.ask
    asked: dict[str, Any] = {key: getattr(ask, key) for key in _ASK_TEXTS if getattr(ask, key)}
    if ask.resource is not None:
        asked["resource"] = asdict(ask.resource)
    if ask.keep_managed_fields:
        asked["keepManagedFields"] = True
    if ask.metadata_only:
        asked["metadataOnly"] = True
    entry: dict[str, Any] = {"verb": ask.verb.value, **asked, "outcome": reading.outcome.value}
    if reading.status:
        entry["status"] = reading.status
    if reading.detail:
        entry["detail"] = reading.detail
    if reading.stale:
        entry["stale"] = True
    if reading.peer is not None:
        entry["peer"] = dict(reading.peer)
    if reading.body is not None:
        entry["answer"] = reading.body
    return entry


def _decode(entry: Mapping[str, Any]) -> Reading:
    resource = entry.get("resource")
    ask = Ask(
        Verb(entry["verb"]),
        resources.Resource(**resource) if resource else None,
        keep_managed_fields=bool(entry.get("keepManagedFields")),
        metadata_only=bool(entry.get("metadataOnly")),
        **{key: entry[key] for key in _ASK_TEXTS if key in entry},
    )
    return Reading(
        ask,
        Outcome(entry["outcome"]),
        entry.get("status", 0),
        entry.get("detail", ""),
        entry.get("answer"),
        bool(entry.get("stale")),
        entry.get("peer"),
    )


class RecordedSource:
    """Answers from a recording: a question it holds, or one that a wider question it holds answers too."""

    def __init__(self, snapshot: Snapshot, now: datetime | None = None) -> None:
        self._snapshot = snapshot
        self._now = now or snapshot.now

    @property
    def origin(self) -> Origin:
        return self._snapshot.origin

    @property
    def now(self) -> datetime:
        return self._now

    def read(self, asks: Iterable[Ask]) -> Mapping[str, Reading]:
        return {ask.key: self._answer(ask) for ask in asks}

    def _answer(self, ask: Ask) -> Reading:
        exact = self._snapshot.readings.get(ask.key)
        if exact is not None:
            return exact
        held = [self._snapshot.readings[wider.key] for wider in _wider(ask) if wider.key in self._snapshot.readings]
        if held:
            return _narrowed(next((reading for reading in held if reading.ok), held[0]), ask)
        return self._none(ask) or Reading(ask, Outcome.NOT_ASKED, detail="the recording does not hold it")

    def _none(self, ask: Ask) -> Reading | None:
        """The answer to a question about objects of which the recording knows that there are none."""
        if ask.resource is None or ask.verb not in (Verb.LIST, Verb.GET):
            return None
        rows = self._snapshot.once(discovery.served)
        named = ask.resource.group, ask.resource.plural
        if rows and named not in {(row.resource.group, row.resource.plural) for row in rows}:
            return Reading(ask, Outcome.ABSENT, 404, "the server does not serve it")
        if ask.verb is Verb.LIST:  # a list of names that is empty is whole
            bare = [listing(ask.resource, space, metadata_only=True) for space in dict.fromkeys((ask.namespace, None))]
            if any(self._snapshot.reading(one).ok and not self._snapshot.items(one) for one in bare):
                return Reading(ask, Outcome.OK, 200, body=[])
        return None


def _wider(ask: Ask) -> list[Ask]:
    """Questions whose answers contain the answer to `ask`, nearest first."""
    if ask.resource is None or ask.verb not in (Verb.LIST, Verb.GET):
        return []
    scopes = [ask.namespace, None] if ask.namespace else [None]
    managed = [ask.keep_managed_fields] if ask.keep_managed_fields else [False, True]
    whole = [listing(ask.resource, namespace, keep_managed_fields=keep) for namespace in scopes for keep in managed]
    bare = [listing(ask.resource, namespace, metadata_only=True) for namespace in scopes]
    return bare + whole if ask.metadata_only else whole


def _narrowed(held: Reading, ask: Ask) -> Reading:
    items = held.body if isinstance(held.body, list) else []
    fitting = [_cut(item, ask) for item in items if _fits(item, ask)]
    if ask.verb is Verb.LIST:
        return replace(held, ask=ask, body=fitting if held.body is not None else None)
    if fitting:
        return replace(held, ask=ask, body=fitting[0], outcome=Outcome.OK, detail="")
    if not held.ok:
        return replace(held, ask=ask, body=None)
    return Reading(ask, Outcome.ABSENT, 404, f'{_name(ask)} "{ask.name}" not found')


def _name(ask: Ask) -> str:
    return ask.resource.name if ask.resource else ask.path


def _fits(item: Mapping[str, Any], ask: Ask) -> bool:
    if ask.namespace and namespace_of(item) != ask.namespace:
        return False
    if ask.name and name_of(item) != ask.name:
        return False
    return matches(ask.selector, labels_of(item)) and fields_match(ask.fields, item)


def _cut(item: Mapping[str, Any], ask: Ask) -> Mapping[str, Any]:
    """An object of a wider answer, without what the narrower question leaves out."""
    metadata = item.get("metadata")
    if not isinstance(metadata, dict):
        return item
    if not ask.keep_managed_fields and "managedFields" in metadata:
        metadata = {key: value for key, value in metadata.items() if key != "managedFields"}
    return {"metadata": metadata} if ask.metadata_only else {**item, "metadata": metadata}
