from __future__ import annotations

import pytest

from kcompanion.controlplane.controllers import CONTROLLERS, GATED, OFF_BY_DEFAULT, controllers

DEFAULT = set(CONTROLLERS) - set(OFF_BY_DEFAULT)


def on(*flags: str | None) -> set[str]:
    nodes = {f"n{i}": {} if flag is None else {"controllers": flag} for i, flag in enumerate(flags)}
    found = controllers({"kube-controller-manager": nodes})
    assert set(found.on) | set(found.off) >= set(CONTROLLERS)
    assert not set(found.on) & set(found.off)
    return set(found.on)


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        (None, DEFAULT),
        ("*", DEFAULT),
        ("*,bootstrapsigner,tokencleaner", DEFAULT | {"bootstrap-signer-controller", "token-cleaner-controller"}),
        ("*,-replicaset-controller", DEFAULT - {"replicaset-controller"}),
        ("*,-replicaset", DEFAULT - {"replicaset-controller"}),  # by its older name
        ("*, -ttl , -podgc", DEFAULT - {"ttl-controller", "pod-garbage-collector-controller"}),
        ("replicaset-controller", {"replicaset-controller"}),  # without `*` only what is named
        ("deployment,job-controller", {"deployment-controller", "job-controller"}),
        ("-job-controller", set()),
        ("", set()),
        ("*,job,-job", DEFAULT),  # the first word about a controller counts
        ("*,-job,job", DEFAULT - {"job-controller"}),
        ("*,a-distributions-own", DEFAULT | {"a-distributions-own"}),
        ("*,-svm", DEFAULT - {"storage-version-migrator-controller"}),
    ],
)
def test_what_the_flag_turns_on(flag: str | None, expected: set[str]) -> None:
    assert on(flag) == expected


def test_without_a_visible_program_nothing_is_claimed() -> None:
    found = controllers({})
    assert (found.known, found.on, found.off) == (False, (), ())
    assert controllers({"kube-controller-manager": {}}).known is False


def test_gated_ones_are_told_apart() -> None:
    told = controllers({"kube-controller-manager": {"a": {}}}).to_json()
    assert set(told["gated"]) == set(GATED)
    assert told["known"] is True


def test_the_table_is_whole() -> None:
    aliases = [alias for alias in CONTROLLERS.values() if alias]
    assert len(aliases) == len(set(aliases))
    assert set(OFF_BY_DEFAULT) | set(GATED) <= set(CONTROLLERS)
