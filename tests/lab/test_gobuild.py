from pathlib import Path

import pytest

from lab import gobuild, versions

_GO_MOD = """\
module k8s.io/kubernetes

require (
	github.com/blang/semver/v4 v4.0.0
	k8s.io/api v0.0.0
	k8s.io/cri-api v0.0.0
	k8s.io/klog/v2 v2.140.0
	k8s.io/utils v0.0.0-20260210185600-b8788abfbbc2
)
"""


def test_staging_modules_are_replaced_by_their_published_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "go.mod").write_text(_GO_MOD)
    monkeypatch.setattr(gobuild, "_download", lambda *_: {"GoMod": str(tmp_path / "go.mod")})
    monkeypatch.setattr(versions, "KUBERNETES", "1.36.9")
    assert gobuild._staging_replaces() == [
        "replace k8s.io/api => k8s.io/api v0.36.9",
        "replace k8s.io/cri-api => k8s.io/cri-api v0.36.9",
    ]


def test_every_family_has_its_own_key() -> None:
    keys = {gobuild.key(family) for family in versions.FAMILIES}
    assert len(keys) == len(versions.FAMILIES)
