"""What lessons wait for, each with its words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kcompanion.learn.lesson import Until
from kcompanion.model.fields import condition, dig, maps_at, text_at
from kcompanion.model.message import one_or_many, say


def live(body: object) -> list[Any]:
    """The items of a list that are not being deleted."""
    return [item for item in maps_at(body, "items") if not text_at(item, "metadata", "deletionTimestamp")]


def names(body: object) -> list[str]:
    """The names of a list's items that are not being deleted, sorted."""
    return sorted(text_at(item, "metadata", "name") for item in live(body))


def is_ready(pod: object) -> bool:
    return condition(pod, "Ready").get("status") == "True"


def reached(message: str, **fields: object) -> Until:
    """`reached("Pending", status__phase="Pending")`: fields of one object have these values."""
    wanted = {tuple(path.split("__")): value for path, value in fields.items()}
    told = ", ".join(f"{'.'.join(path)}={value}" for path, value in wanted.items())
    words = say(f"learn.until.{message}", what=told) if message else say("learn.until.fields", what=told)
    return Until(words, lambda status, body: status == 200 and all(dig(body, *p) == v for p, v in wanted.items()))


def ready() -> Until:
    return Until(say("learn.until.ready"), lambda status, body: status == 200 and is_ready(body))


def all_ready(count: int) -> Until:
    """So many pods are there, none of them on its way out, and all are ready."""
    return Until(
        say(one_or_many("learn.until.all_ready", count), count=count),
        lambda _, body: len(live(body)) == count and all(is_ready(pod) for pod in live(body)),
    )


def counted(count: int) -> Until:
    """So many objects are there that are not being deleted."""
    return Until(
        say(amount("learn.until.counted", count), count=count),
        lambda status, body: status == 200 and len(live(body)) == count,
    )


def amount(id: str, count: int) -> str:
    """The id of the words for none, one or many."""
    return one_or_many(id, count) if count else f"{id}_none"


def gone() -> Until:
    return Until(say("learn.until.gone"), lambda status, _: status == 404)


def there() -> Until:
    return Until(say("learn.until.there"), lambda status, _: status == 200)


def has_condition(type_: str, value: str = "True", reason: str = "") -> Until:
    def test(_: int, body: object) -> bool:
        found = condition(body, type_)
        return found.get("status") == value and (not reason or found.get("reason") == reason)

    told = f"{type_}={value}" + (f" ({reason})" if reason else "")
    return Until(say("learn.until.condition", what=told), test)


def event(reason: str, about: str = "") -> Until:
    """A list of events holds one with that reason, whose message names `about`."""
    return Until(
        say("learn.until.event", reason=reason), lambda _, body: any(True for _ in events(body, reason, about))
    )


def events(body: object, reason: str, about: str = "") -> Iterator[Any]:
    """The events of a list with that reason, whose message names `about`."""
    return (
        one for one in maps_at(body, "items") if text_at(one, "reason") == reason and about in text_at(one, "message")
    )


def told(body: object, reason: str, about: str = "") -> Any:  # noqa: ANN401 - JSON
    """The first such event; nothing when there is none, so that a claim about it is not held."""
    return next(events(body, reason, about), {})


def reporter(event: object) -> str:
    """Who says that it did what an event tells."""
    return text_at(event, "reportingComponent") or text_at(event, "source", "component")


def custom(id: str, test: Any, **values: Any) -> Until:  # noqa: ANN401 - a function of status and body
    """A condition of one lesson's own; `id` is in the catalogue below `learn.until`."""
    return Until(say(f"learn.until.{id}", **values), test)
