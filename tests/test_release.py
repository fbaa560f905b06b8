"""What `make dist` builds holds everything that a user needs, and works where this checkout is not.

The installation from a wheelhouse needs the package index, and so is a test of `make test-cluster`.
"""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from lab import docker
from tools import operator_image, wheelhouse

ROOT = Path(__file__).parents[1]
# What is read at run time and is no Python: an import would not miss it.
LIMIT = 170  # seconds, so that a program that hangs is named by its test
DATA = ("*.toml", "*.json", "*.kcr", "*.yaml", "*.html", "*.css", "*.js", "*.svg", "py.typed")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheel and sdist, built as `make dist` does."""
    dist = tmp_path_factory.mktemp("dist")
    build(ROOT, dist)
    return dist


def build(project: Path, dist: Path) -> None:
    hatchling = Path(sys.executable).parent / "hatchling"
    subprocess.run([hatchling, "build", "-d", dist], cwd=project, check=True, capture_output=True, timeout=LIMIT)


def tracked(*patterns: str) -> set[str]:
    """The files of the packages that git knows (or would add), so that a forgotten ignore rule is noticed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "kcompanion", "operators"]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=LIMIT)
    listed = told.stdout.splitlines()
    return {
        name for name in listed if any(Path(name).match(pattern) for pattern in patterns) and (ROOT / name).exists()
    }


def test_the_wheel_holds_every_file_of_the_packages(built: Path) -> None:
    with zipfile.ZipFile(wheelhouse.built(built)) as wheel:
        names = set(wheel.namelist())
    assert sorted(tracked("*") - names) == []
    assert len(names & tracked(*DATA)) > 50
    assert sorted(name for name in names if not name.startswith(("kcompanion", "operators"))) == []


def test_the_sdist_builds_the_same_wheel(built: Path, tmp_path: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as tar:
        tar.extractall(tmp_path, filter="data")
    (project,) = tmp_path.iterdir()
    build(project, tmp_path / "again")
    assert wheelhouse.built(tmp_path / "again").read_bytes() == wheelhouse.built(built).read_bytes()


def test_the_wheel_is_of_todays_version(built: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"].get("version")
    assert version is None, "the version stands in kcompanion/__init__.py"
    declared = re.search(r'__version__ = "(.+)"', (ROOT / "kcompanion" / "__init__.py").read_text())
    assert declared
    assert wheelhouse.built(built).name == f"kcompanion-{declared[1]}-py3-none-any.whl"


# --------------------------------------------------------------------------------- the wheel at work


@pytest.fixture(scope="session")
def elsewhere(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a venv that has kcompanion from the wheel alone, and its dependencies from ours.

    A path file does not follow the path files of the folder it names: the editable installation of this checkout
    stays out of sight.
    """
    home = tmp_path_factory.mktemp("elsewhere")
    venv.create(home, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(home), "install", "--quiet"]
    words = [*pip, "--no-index", "--no-deps", str(wheelhouse.built(built))]
    subprocess.run(words, check=True, capture_output=True, timeout=LIMIT)
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin"


def said(elsewhere: Path, program: str, *words: str) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("KUBE", "KCOMPANION", "PYTHON"))}
    env = {**clean, "LC_ALL": "C.UTF-8", "COLUMNS": "100"}
    command = [str(elsewhere / program), *words]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=elsewhere, check=False, timeout=LIMIT)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_it_is_the_wheel_that_runs(elsewhere: Path) -> None:
    where = said(elsewhere, "python", "-c", "import kcompanion; print(kcompanion.__file__)")
    assert Path(where.strip()).is_relative_to(elsewhere.parent)
    assert said(elsewhere, "kcompanion", "--version").startswith("kcompanion ")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_it_has_recordings_and_catalogues(elsewhere: Path, language: str) -> None:
    told = said(elsewhere, "kubectl-companion", "controlplane", "--from", "demo:three-nodes", "--lang", language)
    assert "kcompanion-control-plane" in told
    assert {"en": "All components are well", "ko": "모든 컴포넌트"}[language] in told


def test_it_has_the_operators_manifests(elsewhere: Path) -> None:
    ours = said(elsewhere, "kcompanion", "operator", "install", "--dry-run", "-o", "yaml")
    standing_in = said(
        elsewhere, "kcompanion", "operator", "install", "--dry-run", "-o", "yaml", "--target=replicasets.apps"
    )
    assert "kind: CustomResourceDefinition" in ours
    assert "kind: DaemonSet" in standing_in


def test_it_has_the_exercises(elsewhere: Path) -> None:
    assert "kind: ResourceQuota" in said(elsewhere, "kcompanion", "practice", "start", "policy-1", "--dry-run")


def test_it_writes_reports(elsewhere: Path) -> None:
    page = said(elsewhere, "kcompanion", "report", "--from", "demo:ha", "-O", "-")
    assert "<style" in page
    assert "kcompanion-ha-control-plane3" in page


def test_it_has_schemas(elsewhere: Path) -> None:
    assert '"$schema"' in said(elsewhere, "kcompanion", "schema", "ControlPlane")


def test_an_image_of_other_code_is_out_of_date(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "operators" / "one.py"
    file.parent.mkdir()
    file.write_text("1")
    monkeypatch.setattr(operator_image, "ROOT", tmp_path)
    before = operator_image.fingerprint()
    monkeypatch.setattr(docker, "label", lambda _image, _label: before)
    assert operator_image.up_to_date()
    file.write_text("2")
    assert not operator_image.up_to_date()
