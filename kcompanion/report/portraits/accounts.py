"""A ServiceAccount: which pods act as it, how long their tokens are good, and which roles it was given."""

from __future__ import annotations

from collections.abc import Iterator

from kcompanion.model import resources as r
from kcompanion.model.fields import dig, map_at, maps_at, name_of, text_at
from kcompanion.model.message import say
from kcompanion.model.snapshot import Object
from kcompanion.report.document import Cell, Section
from kcompanion.report.portraits import common
from kcompanion.report.portraits.sight import Fact, Part, Sight, facts, label, lesson, named


def tokens(sight: Sight) -> Iterator[Fact]:
    """How pods get a token, and which Secrets belong to the account."""
    mounted = dig(sight.item, "automountServiceAccountToken") is not False
    yield label("token"), say(f"portrait.account.{'mounted' if mounted else 'not_mounted'}")
    pulls = [text_at(one, "name") for one in maps_at(sight.item, "imagePullSecrets")]
    if pulls:
        yield label("pull_secrets"), named(pulls)
    yield label("identity"), f"system:serviceaccount:{sight.space}:{sight.ref.name}"


def used_by(sight: Sight) -> Iterator[Section]:
    """The pods that act as the account, with the life of their token."""
    rows: list[tuple[Cell, ...]] = [
        (name_of(pod), _token(pod), text_at(pod, "spec", "nodeName"))
        for pod in sight.world.all(r.PODS, sight.space)
        if (text_at(pod, "spec", "serviceAccountName") or "default") == sight.ref.name
    ]
    yield from common.bounded(sight, "account_pods", "POD TOKEN NODE", rows)


def _token(pod: Object) -> Cell:
    for volume in maps_at(pod, "spec", "volumes"):
        for source in maps_at(volume, "projected", "sources"):
            seconds = map_at(source, "serviceAccountToken").get("expirationSeconds")
            if isinstance(seconds, int):
                return say("portrait.account.expires", minutes=seconds // 60)
    return say("portrait.account.no_token")


def roles(sight: Sight) -> Iterator[Section]:
    """What it was bound to by name; roles for its groups (`system:serviceaccounts`) are not counted here."""
    rows: list[tuple[Cell, ...]] = []
    for resource, space in ((r.ROLEBINDINGS, sight.space), (r.CLUSTERROLEBINDINGS, "")):
        for one in sight.world.all(resource, space):
            if any(_names(subject, sight) for subject in maps_at(one, "subjects")):
                role = map_at(one, "roleRef")
                scope: Cell = sight.space if resource is r.ROLEBINDINGS else say("portrait.account.everywhere")
                rows.append((f"{text_at(role, 'kind')} {text_at(role, 'name')}", scope, name_of(one)))
    yield from common.bounded(sight, "roles", "ROLE IN BY_THE_BINDING", rows)


def _names(subject: object, sight: Sight) -> bool:
    return (
        text_at(subject, "kind") == "ServiceAccount"
        and text_at(subject, "name") == sight.ref.name
        and text_at(subject, "namespace") in ("", sight.space)
    )


ACCOUNT: tuple[Part, ...] = (
    facts(tokens, common.created, common.deletion),
    used_by,
    roles,
    lesson("account", 2),
)
