"""What a rule is: a code, what it looks at, and a pure function from an object and the World to causes.

The function yields a Cause for each instance of what it recognises, and nothing when it recognises none. It says no
sentence: those are in the catalogues, under the rule's area and code. A look-up in the World that has no answer
raises NotKnown; the engine then reports the rule as not evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from kcompanion.model.finding import Evidence, Severity, Step
from kcompanion.model.refs import Ref
from kcompanion.model.world import World


class Rank(IntEnum):
    """How deep a cause lies. Of several causes of one object the deepest is the root and is told first."""

    CONTROL_PLANE = 5
    NODE = 10
    NAMESPACE = 15
    TERMINATING = 20
    GATED = 25
    ADMISSION = 30  # pods that are never made: quota, webhooks, missing service accounts
    VOLUME_CLAIM = 35
    SANDBOX = 40
    MOUNT = 45
    SCHEDULING = 50
    REJECTED = 55
    EVICTED = 60
    MEMORY = 65
    CONFIG = 70
    START = 75
    CRASH = 80
    PULL = 85
    PROBE = 90
    HOOK = 92
    SERVICE = 95
    OWNERSHIP = 97
    SYMPTOM = 100  # what other causes bring about; told when nothing deeper was found
    LAST_RESORT = 105  # that something is wrong at all: told of an object only when nothing else was found on it
    ADVICE = 110


@dataclass(frozen=True)
class Cause:
    """One instance of what a rule recognises.

    `values` fill the placeholders of the rule's texts. `variant` chooses another sentence than `cause`. `root` is the
    object whose trouble it is, when that is not the one looked at: what shares rule and root is told once.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    steps: tuple[Step, ...] = ()
    variant: str = "cause"
    severity: Severity | None = None
    root: Ref | None = None


Check = Callable[[Any, World], Iterator[Cause]]


@dataclass(frozen=True)
class Rule:
    """A rule of the failure taxonomy. `check` gets a Pod for kind Pod, the raw object for any other kind."""

    code: str
    numbers: tuple[int, ...]  # of the taxonomy
    kind: str
    severity: Severity
    rank: Rank
    area: str  # of the catalogues
    read: str  # where to read more
    check: Check
    every: bool = False  # looks at pods too that are plainly well


class RuleBook:
    """The rules of one module, the area of the catalogues with their texts, and the numbers it leaves out, with why."""

    def __init__(self, area: str, excluded: Mapping[int, str] | None = None) -> None:
        self.area = area
        self.excluded = dict(excluded or {})
        self.rules: list[Rule] = []

    def rule(
        self,
        code: str,
        *,
        numbers: tuple[int, ...] = (),
        kind: str | tuple[str, ...] = "Pod",
        severity: Severity = Severity.WARNING,
        rank: Rank = Rank.SYMPTOM,
        read: str = "",
        every: bool = False,
    ) -> Callable[[Check], Check]:
        """Makes a function the rule `code`, for one kind of object or several."""

        def add(check: Check) -> Check:
            for one in (kind,) if isinstance(kind, str) else kind:
                self.rules.append(Rule(code, numbers, one, severity, rank, self.area, read, check, every))
            return check

        return add
