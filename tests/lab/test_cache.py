import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab import cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KCOMPANION_LAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_an_entry_is_made_once(own_cache: Path) -> None:
    made = []

    def fill(folder: Path) -> None:
        made.append(folder)
        (folder / "file").write_text("content")

    assert cache.entry("a/b-1", fill) == cache.entry("a/b-1", fill) == own_cache / "a/b-1"
    assert len(made) == 1
    assert (own_cache / "a/b-1/file").read_text() == "content"


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_build_leaves_nothing(own_cache: Path, failure: type[BaseException]) -> None:
    def fill(folder: Path) -> None:
        (folder / "half").write_text("")
        raise failure

    with pytest.raises(failure):
        cache.entry("a/b-1", fill)
    assert list((own_cache / "a").iterdir()) == []


def test_two_runs_make_it_once() -> None:
    begun, made = threading.Event(), []

    def fill(folder: Path) -> None:
        made.append(folder)
        begun.set()
        time.sleep(0.2)  # long enough for the other to find that it is not there

    with ThreadPoolExecutor(2) as both:
        first = both.submit(cache.entry, "b-1", fill)
        begun.wait(5)
        assert cache.entry("b-1", fill) == first.result(60)
    assert len(made) == 1


def test_a_digest_knows_where_one_part_ends() -> None:
    assert cache.digest("ab", "c") != cache.digest("a", "bc")
    assert cache.digest("a", b"b") == cache.digest(b"a", "b")


def test_comments_and_layout_are_no_part_of_a_recipe(tmp_path: Path) -> None:
    one, two, three = (tmp_path / name for name in ("one.py", "two.py", "three.py"))
    one.write_text("x = 1  # one\n")
    two.write_text("x  =  (1)\n")
    three.write_text("x = 2\n")
    assert cache.source_digest(one) == cache.source_digest(two) != cache.source_digest(three)
