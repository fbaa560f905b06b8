"""The cases of the rules: clusters recorded from the lab, and small ones written by hand.

`cases/KC5044/positive.kcr` was recorded from manifests/demo/KC5044; `positive.yaml` is written by hand, where the lab
cannot be brought to show it. `negative.yaml` is the near miss on which the rule stays silent. A YAML case is a list of
objects, with an optional first document `{now: TIME, subject: pod/name, logs: {container: text}, forbidden: [nodes]}`;
whatever is not in it does not exist, and what is forbidden could not be read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from kcompanion.cluster import recording
from kcompanion.explain.judge import Verdict, judge
from kcompanion.model.ask import Outcome, Reading, listing
from kcompanion.model.resources import BY_NAME, KNOWN, LEASES, Resource
from kcompanion.model.snapshot import Object, Snapshot
from kcompanion.model.world import World

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, ten times as fast, where libyaml is there
CASES = Path(__file__).parent / "cases"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_BY_NAME = {**BY_NAME, LEASES.plural: LEASES}  # Leases are looked up, and no kind to ask about
_BY_KIND = {resource.kind: resource for resource in KNOWN}


def world_of(file: Path) -> World:
    """The World of a case."""
    return World(_snapshot(file))


@cache
def _snapshot(file: Path) -> Snapshot:
    if file.suffix == ".kcr":
        return recording.load(file)
    return world_from(list(yaml.load_all(file.read_text(encoding="utf-8"), Loader=_LOADER))).snapshot


@cache
def verdicts_of(file: Path) -> tuple[Verdict, ...]:
    """The verdict on every object of a case, worked out once for all tests."""
    return tuple(verdicts(world_of(file)))


def codes_of(file: Path) -> set[str]:
    """The codes found on any object of a case."""
    return {finding.code for verdict in verdicts_of(file) for finding in verdict.findings}


def world_from(documents: list[dict[str, Any]]) -> World:
    """A World in which just these objects exist; the first document may say when it is."""
    head = documents[0] if documents and "kind" not in documents[0] else {}
    objects = [document for document in documents if document and "kind" in document]
    now = head.get("now", NOW)
    moment = now if isinstance(now, datetime) else datetime.fromisoformat(str(now))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    by_resource: dict[Resource, list[Any]] = defaultdict(list)
    for item in objects:
        api, _, version = item.get("apiVersion", "v1").rpartition("/")
        kind = item["kind"]
        resource = _BY_KIND.get(kind) or Resource(api, version, f"{kind.lower()}s", kind)
        if resource.namespaced:
            item["metadata"].setdefault("namespace", "default")
        by_resource[resource].append(item)
    readings = [Reading(listing(resource), Outcome.OK, 200, body=by_resource[resource]) for resource in KNOWN]
    readings += [Reading(listing(one), Outcome.OK, 200, body=items) for one, items in by_resource.items()]
    readings += [Reading(listing(_BY_NAME[name]), Outcome.FORBIDDEN, 403) for name in head.get("forbidden", ())]
    return World(Snapshot(moment, readings={reading.ask.key: reading for reading in readings}))


def subjects(world: World) -> Iterator[tuple[Object, str]]:
    """Every object of a case with its kind."""
    for reading in world.snapshot.readings.values():
        if reading.ask.resource is not None and reading.body and reading.ask.resource.kind != "Event":
            bodies = reading.body if isinstance(reading.body, list) else [reading.body]
            for item in bodies:
                if isinstance(item, dict) and "metadata" in item:
                    yield item, reading.ask.resource.kind


def verdicts(world: World) -> list[Verdict]:
    """The verdict on every object of a case."""
    return [judge(item, kind, world) for item, kind in subjects(world)]


def codes(world: World) -> set[str]:
    """The codes found on any object of a case."""
    return {finding.code for verdict in verdicts(world) for finding in verdict.findings}
