"""Where lessons make objects, told from their requests: what `learn cleanup` searches for our label."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from kcompanion.learn.lesson import Lesson, Send, Wait
from kcompanion.learn.perform import makes, plan
from kcompanion.learn.protocol import Setting
from kcompanion.model import resources as r

# What controllers make from what lessons make carries our label too, by its template.
BELOW = (r.REPLICASETS, r.JOBS, r.PODS)
_ANYWHERE = Setting("", "everywhere", own=True, image="")
_SPACE = re.compile(r"/namespaces/[^/]+(?=/)")


def collections(lesson: Lesson, setting: Setting) -> tuple[str, ...]:
    """Where a lesson may leave objects with its label in a namespace that is not its own."""
    space = f"/namespaces/{setting.namespace}/"
    made = [path for path in _made(lesson, setting) if space in path]
    return tuple(dict.fromkeys([*made, *(resource.path(setting.namespace) for resource in BELOW)]))


def everywhere(lessons: Iterable[Lesson], namespace: str | None) -> tuple[str, ...]:
    """Where any lesson may leave objects with its label: in a namespace, or in all of them and outside of them."""
    made = [path for lesson in lessons for path in _made(lesson, _ANYWHERE)]
    below = [resource.path(_ANYWHERE.namespace) for resource in BELOW]
    if namespace is None:
        return tuple(dict.fromkeys([r.NAMESPACES.path(), *(_SPACE.sub("", path) for path in (*made, *below))]))
    inside = (path for path in (*made, *below) if _SPACE.search(path))
    return tuple(dict.fromkeys(_SPACE.sub(f"/namespaces/{namespace}", path) for path in inside))


def _made(lesson: Lesson, setting: Setting) -> Iterator[str]:
    """The collections in which it makes objects that carry a label."""
    for _, acts in plan(lesson, setting):
        for act, request in acts:
            path = request.path.partition("?")[0]
            collection = path if request.method == "POST" else path.rpartition("/")[0]
            if isinstance(act, Send | Wait) and isinstance(act.body, Mapping) and makes(act):
                yield collection
