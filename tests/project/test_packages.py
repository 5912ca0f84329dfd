import importlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

PACKAGES = ("policy", "collectors", "rules", "controller")


@pytest.mark.parametrize("name", PACKAGES)
def test_the_imported_package_is_ours(root: Path, name: str) -> None:
    module = importlib.import_module(name)
    assert module.__file__ is not None
    assert Path(module.__file__).parent == root / name


@pytest.mark.parametrize("name", PACKAGES)
def test_the_imported_package_is_ours_from_any_folder(root: Path, tmp_path: Path, name: str) -> None:
    code = f"import {name}; print({name}.__file__)"
    found = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(found.stdout.strip()).parent == root / name


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from what git knows, without a network and with the locked backend."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in tracked(root):
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target)
    uv = Path(sys.executable).with_name("uv")
    build = [uv, "build", "--wheel", "--offline", "--no-build-isolation", "--python", sys.executable]
    built = subprocess.run([*build, "--out-dir", out, source], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (found,) = out.glob("*.whl")
    return found


def tracked(root: Path) -> list[str]:
    """The files that git tracks and that are there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True)  # noqa: S607
    return [name for name in listed.stdout.split("\0") if name and (root / name).is_file()]


def test_the_wheel_holds_the_four_packages_typed_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {*PACKAGES, "gridwright-0.1.0.dist-info"}
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)


def test_the_wheel_carries_the_schema_that_its_command_prints(wheel: Path, root: Path) -> None:
    name = "policy/schema/gridwright.schema.json"
    assert zipfile.ZipFile(wheel).read(name) == (root / name).read_bytes()


def test_the_wheel_carries_what_it_installs(wheel: Path, root: Path) -> None:
    name = "controller/cluster/installation/installed.yaml"
    assert zipfile.ZipFile(wheel).read(name) == (root / name).read_bytes()


def test_the_wheel_carries_its_licence_and_notice(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {Path(name).name for name in names if "/licenses/" in name} == {"LICENSE", "NOTICE"}


def test_the_wheel_gives_one_command(wheel: Path) -> None:
    entries = zipfile.ZipFile(wheel).read("gridwright-0.1.0.dist-info/entry_points.txt").decode()
    assert entries.split("\n")[:2] == ["[console_scripts]", "gridwright = controller.cli:main"]


def test_the_wheel_tells_what_it_is(wheel: Path) -> None:
    metadata = message_from_string(zipfile.ZipFile(wheel).read("gridwright-0.1.0.dist-info/METADATA").decode())
    assert metadata["Name"] == "gridwright"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"


def test_every_direct_dependency_is_locked_with_hashes(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    wanted = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["embedded"]]
    wanted += [item for group in groups.values() for item in group if isinstance(item, str)]
    wanted += project["build-system"]["requires"]
    blocks = re.split(r"\n(?=[a-z0-9])", (root / "requirements.lock").read_text())
    assert all("--hash=sha256:" in block for block in blocks)
    locked = {block.split("==")[0] for block in blocks}
    assert {re.split(r"[\[<>=]", item)[0] for item in wanted} <= locked
