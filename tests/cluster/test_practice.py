"""Exercises on the real cluster: each breaks, is judged broken, and solved once a known mend is applied; nothing else.

They run some at a time, since they mostly wait. CI mends a few; all of them are for `make lessons`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from kcompanion.practice.exercises import BY_ID
from tests.cluster.conftest import ROOT, Ran, kubectl_program
from tests.cluster.mends import MENDS, TRIES, Mend

pytestmark = pytest.mark.cluster

AT_ONCE = 8
PATIENCE = 240.0  # seconds until a mend has to show
CI = ("config-1", "service-3", "policy-1", "start-2")  # a few that show quickly, of different kinds
DETOUR = "policy-1"
NAMES = [pytest.param(name, marks=() if name in CI else pytest.mark.full) for name in BY_ID]


@dataclass
class Course:
    """What became of an exercise: an exit code and output for each thing that was done."""

    started: list[Ran] = field(default_factory=list)
    broken: list[Ran] = field(default_factory=list)
    hints: list[Ran] = field(default_factory=list)
    tried: list[Ran] = field(default_factory=list)
    solved: list[Ran] = field(default_factory=list)
    ended: list[Ran] = field(default_factory=list)
    score: Mapping[str, Any] = field(default_factory=dict)


class Learner:
    """One exercise, with a score of its own."""

    def __init__(self, name: str, kubeconfig: Path, kcompanion: Callable[..., Ran], folder: Path) -> None:
        self.name = name
        self._kubeconfig = kubeconfig
        self._run = kcompanion
        self._state = folder / name
        self.course = Course()

    def does(self, *words: str) -> Ran:
        """`practice WORDS`, in two minutes at most for each minute that `start` may wait."""
        return self._run("practice", *words, kubeconfig=self._kubeconfig, timeout=420, XDG_STATE_HOME=str(self._state))

    def goes_through_it(self, *, all_of_it: bool) -> Course:
        """Every mend from a fresh start; before the first one, hints; things that are no mend as well."""
        mends = MENDS[self.name] if all_of_it else MENDS[self.name][:1]
        for number, mend in enumerate(mends):
            if not self._begins():
                return self.course
            if number == 0:
                self.course.hints = [self.does("hint", "-o", "json") for _ in range(3)]
            if not all_of_it and self.name == DETOUR:  # what is no mend, in the same go
                self._applies([("scale", "deployment/web", "--replicas=1")])
                self.course.tried.append(self._checks_for(4))
                self._applies([("scale", "deployment/web", "--replicas=2")])
            self._applies(mend)
            self.course.solved.append(self._checks_until(0))
            self.course.ended.append(self.does("end", "-o", "json"))
        for attempt in TRIES.get(self.name, ()) if all_of_it else ():
            if not self._begins():
                return self.course
            self._applies(attempt)
            self.course.tried.append(self._checks_for(8))
            self.course.ended.append(self.does("end"))
        done = json.loads(self.does("list", "-o", "json").out)["exercises"]
        self.course.score = next(one for one in done if one["id"] == self.name)
        return self.course

    def _begins(self) -> bool:
        started = self.does("start", self.name, "--yes", "-o", "json")
        self.course.started.append(started)
        if started.code:
            return False
        self.course.broken.append(self.does("check"))
        return True

    def _applies(self, mend: Mend) -> None:
        space = json.loads(self.course.started[-1].out)["namespace"]
        for command in mend:
            stdin = yaml.safe_dump(command[-1]) if isinstance(command[-1], Mapping) else None
            words = [str(word).replace("{namespace}", space) for word in (command[:-1] if stdin else command)]
            given = [kubectl_program(), "--kubeconfig", str(self._kubeconfig), "-n", space, *words]
            done = subprocess.run(given, capture_output=True, text=True, timeout=180, check=False, input=stdin)
            assert done.returncode == 0, f"{self.name}: {' '.join(words)}: {done.stderr}"

    def _checks_until(self, code: int) -> Ran:
        ends = time.monotonic() + PATIENCE
        while True:
            checked = self.does("check", "-o", "json")
            if checked.code == code or time.monotonic() > ends:
                return checked
            time.sleep(2)

    def _checks_for(self, seconds: float) -> Ran:
        """The last look of several, or the first that takes it for solved."""
        ends = time.monotonic() + seconds
        while True:
            checked = self.does("check")
            if checked.code != 1 or time.monotonic() > ends:
                return checked
            time.sleep(2)


@pytest.fixture(scope="module")
def courses(
    cluster: Path,
    kcompanion: Callable[..., Ran],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> dict[str, Course | BaseException]:
    folder = tmp_path_factory.mktemp("practice")
    items = [item for item in request.session.items if hasattr(item, "callspec") and "courses" in _fixtures(item)]
    asked = [item.callspec.params["name"] for item in items]
    all_of_it = any(item.get_closest_marker("full") for item in items)

    def course(name: str) -> Course | BaseException:
        learner = Learner(name, cluster, kcompanion, folder)
        try:
            return learner.goes_through_it(all_of_it=all_of_it)
        except Exception as error:  # noqa: BLE001 - it belongs to this exercise's test, not to the others'
            return error
        finally:
            learner.does("cleanup")

    with ThreadPoolExecutor(AT_ONCE) as workers:
        return dict(zip(asked, workers.map(course, asked), strict=True))


def _fixtures(item: pytest.Item) -> list[str]:
    return getattr(item, "fixturenames", [])


@pytest.mark.parametrize("name", NAMES)
def test_mended_is_solved_and_nothing_else_is(name: str, courses: dict[str, Course | BaseException]) -> None:
    course = courses[name]
    if isinstance(course, BaseException):
        raise course
    assert [ran.err for ran in course.started if ran.code] == []
    assert [ran.code for ran in course.broken] == [1] * len(course.started), course.broken
    assert [ran.code for ran in course.hints] == [0, 0, 0], course.hints
    hints = [json.loads(ran.out) for ran in course.hints]
    assert [bool(hint["evidence"]) for hint in hints] == [False, True, True]
    assert hints[2]["cause"]["code"] == BY_ID[name].code, hints[2]
    assert [ran.code for ran in course.solved] == [0] * len(course.solved), course.solved
    for ran in course.solved:
        assert json.loads(ran.out)["explanation"]["code"] == BY_ID[name].code
    assert [ran.code for ran in course.tried] == [1] * len(course.tried), course.tried
    assert [ran.code for ran in course.ended] == [0] * len(course.started), course.ended
    assert course.score["done"]
    assert not course.score["open"]


def test_every_exercise_has_a_known_mend() -> None:
    assert set(MENDS) == set(BY_ID)
    assert sum(len(mends) > 1 for mends in MENDS.values()) >= 10


# ------------------------------------------------------------------------------- what ends it otherwise


def started(kubeconfig: Path, state: Path, name: str) -> subprocess.Popen[str]:
    """`practice start` as a process of its own, as soon as it waits for the fault."""
    words = [sys.executable, "-m", "kcompanion", "practice", "start", name, "--yes"]
    env = {**os.environ, "KUBECONFIG": str(kubeconfig), "XDG_STATE_HOME": str(state), "KCOMPANION_LANG": "en"}
    process = subprocess.Popen(words, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("waiting"):
            return process
    raise AssertionError(f"it ended with {process.wait()} before it waited")


def namespaces(kubectl: Callable[..., str], state: Path) -> list[str]:
    """Those of the exercises that are kept there and have not been removed."""
    runs = [json.loads(file.read_text())["run"] for file in (state / "kcompanion" / "practice").glob("*.json")]
    selector = f"kcompanion.dev/practice in ({','.join(runs)})"
    return kubectl("get", "namespaces", "-l", selector, "-o", "name").split()


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.full), (signal.SIGKILL, -9)],
)
def test_interrupted_it_takes_everything_back_or_is_found(
    cluster: Path, kubectl: Callable[..., str], kcompanion: Callable[..., Ran], tmp_path: Path, number: int, code: int
) -> None:
    process = started(cluster, tmp_path, "start-9")  # its fault takes a minute to show
    assert len(namespaces(kubectl, tmp_path)) == 1
    process.send_signal(number)
    process.communicate(timeout=420)
    assert process.returncode == code
    if number == signal.SIGKILL:
        assert len(namespaces(kubectl, tmp_path)) == 1
        ran = kcompanion("practice", "cleanup", kubeconfig=cluster, timeout=420, XDG_STATE_HOME=str(tmp_path))
        assert ran.code == 0, ran
    assert namespaces(kubectl, tmp_path) == []


def test_who_may_not_make_namespaces_is_told_so(cluster: Path, kcompanion: Callable[..., Ran], tmp_path: Path) -> None:
    words = ("practice", "start", "config-1", "--yes", "--as", "nobody-in-particular")
    ran = kcompanion(*words, kubeconfig=cluster, XDG_STATE_HOME=str(tmp_path))
    assert ran.code == 1
    assert 'cannot create resource "namespaces"' in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.full
def test_two_learners_have_a_namespace_each(
    cluster: Path, kubectl: Callable[..., str], kcompanion: Callable[..., Ran], tmp_path: Path
) -> None:
    states = [tmp_path / "ann", tmp_path / "bob"]

    def does(state: Path, *words: str) -> Ran:
        return kcompanion("practice", *words, kubeconfig=cluster, timeout=420, XDG_STATE_HOME=str(state))

    spaces = [json.loads(does(state, "start", "config-1", "--yes", "-o", "json").out)["namespace"] for state in states]
    assert len(set(spaces)) == 2
    kubectl("create", "configmap", "settings", "--from-literal=database-host=db", "-n", spaces[1])
    assert does(states[0], "end").code == 0
    assert namespaces(kubectl, states[0]) == []
    assert namespaces(kubectl, states[1]) == [f"namespace/{spaces[1]}"]
    ends = time.monotonic() + PATIENCE
    while does(states[1], "check").code and time.monotonic() < ends:
        time.sleep(2)
    assert does(states[1], "check").code == 0
    assert does(states[1], "end").code == 0
