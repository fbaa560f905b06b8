"""What a lesson is made of: steps with acts and claims. Data; nothing here asks a cluster.

Texts are in the catalogue `lesson_NAME` (dashes become underscores): title, question, plan, conclusion, ask, answer,
`step.ID` for each step and `claim.ID` for each claim.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kcompanion.learn.answers import Answers
from kcompanion.learn.mark import BREAKS, LESSON
from kcompanion.model.message import Message, say

MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
JSON_PATCH, APPLY, JSON = "application/json-patch+json", "application/apply-patch+yaml", "application/json"
INVALID = "invalid"  # credentials nobody knows
# Methods of acts beside the API: a command of this machine's docker, and one in a pod. The body is the list of words.
RUN, EXEC = "RUN", "EXEC"
# And of programs of this machine with the lesson's own kubeconfig: run to their end, started, stopped; and that file.
TOOL, START, STOP, KUBECONFIG = "TOOL", "START", "STOP", "KUBECONFIG"
LOCAL = (TOOL, START, STOP, KUBECONFIG)
COMMANDS = (RUN, EXEC, TOOL, START, STOP)


@dataclass(frozen=True)
class Undo:
    """The request that takes a change back. Written to the journal before the change is made."""

    method: str
    path: str
    body: Mapping[str, Any] | list[str] | None = None
    content_type: str = JSON


@dataclass(frozen=True)
class Send:
    """One request. `status` are the answers that this lesson is about; any other ends it as failed.

    Of a command (RUN, EXEC) the status is its exit code.
    """

    name: str
    method: str
    path: str
    body: Mapping[str, Any] | list[Any] | None = None
    status: tuple[int, ...] = (200,)
    content_type: str = JSON
    credentials: str = ""  # a token instead of the user's own credentials; may be a placeholder
    undo: Undo | None = None  # needed for whatever is changed outside the lesson's namespace
    managed: bool = False  # keep managedFields in the answer


@dataclass(frozen=True)
class Until:
    """What is waited for: its words and its test, which gets status and body of an answer.

    One that compares gets the answers before it as well.
    """

    told: Message
    test: Callable[..., bool]
    compares: bool = False

    def beside(self, answers: Answers) -> Until:
        """The same, with the earlier answers at hand."""
        test = self.test
        return Until(self.told, lambda status, body: test(status, body, answers)) if self.compares else self


@dataclass(frozen=True)
class Wait:
    """A GET, again and again until something holds; that it never does ends the lesson as failed.

    Another method is for what may be done twice: a command that only looks, or an apply.
    """

    name: str
    path: str
    until: Until
    seconds: float = 60.0
    managed: bool = False
    method: str = "GET"
    body: Mapping[str, Any] | list[Any] | None = None
    content_type: str = JSON


@dataclass(frozen=True)
class Hold:
    """A GET, again and again for some seconds, in which something must hold all the time."""

    name: str
    path: str
    until: Until
    seconds: float = 3.0
    managed: bool = False


@dataclass(frozen=True)
class Pick:
    """A value worked out from earlier answers, for later requests: `{NAME}`."""

    name: str
    of: Callable[[Answers], Any]


Act = Send | Wait | Hold | Pick


@dataclass(frozen=True)
class Claim:
    """What the answers are said to prove. `shows` are the fields a reader should look at.

    `NAME.*` shows every field of a picked mapping on a line of its own, as something that was added.
    """

    id: str
    held: Callable[[Answers], bool]
    shows: tuple[str, ...] = ()
    says: Callable[[Answers], Mapping[str, Any]] = field(default=lambda _: {})


@dataclass(frozen=True)
class Step:
    id: str
    acts: tuple[Act, ...]
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class Lesson:
    """`needs` and `touches` are words of the catalogue (`learn.need.…`, `learn.touch.…`), the same in JSON."""

    id: str
    minutes: int
    steps: tuple[Step, ...]
    rows: tuple[str, ...] = ()  # of docs/concepts.md
    needs: tuple[str, ...] = ()
    touches: tuple[str, ...] = ("namespace",)
    space_labels: Mapping[str, str] = field(default_factory=dict)  # of its own namespace

    @property
    def movable(self) -> bool:
        """Whether it can run in a namespace that is there already (-n)."""
        return "own_namespace" not in self.needs and not self.breaks  # who breaks nodes is known by its namespace

    @property
    def uses_tools(self) -> bool:
        """Whether it runs programs of this machine."""
        return any(isinstance(act, Send) and act.method in LOCAL for step in self.steps for act in step.acts)

    @property
    def breaks(self) -> bool:
        """Whether it reaches past the API, to the containers that are the nodes."""
        return "kind" in self.needs

    def labels(self, run: str) -> dict[str, str]:
        """The labels of its own namespace."""
        return {LESSON: run, **({BREAKS: self.id} if self.breaks else {}), **self.space_labels}

    def text(self, name: str, /, **values: Any) -> Message:  # noqa: ANN401 - printable
        return say(f"lesson_{self.id.replace('-', '_')}.{name}", **values)
