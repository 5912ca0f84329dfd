import re
import subprocess
from pathlib import Path

import pytest


def make(root: Path, *arguments: str) -> str:
    """What make prints."""
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout


def targets(root: Path) -> set[str]:
    """The targets that the Makefile declares phony, which are those that people call."""
    return set(re.findall(r"^\.PHONY: (\S+)$", (root / "Makefile").read_text(), re.MULTILINE))


def test_help_lists_every_target_with_what_it_does(root: Path) -> None:
    listed = dict(re.findall(r"^  make (\S+) +(\S.*)$", make(root, "help"), re.MULTILINE))
    assert set(listed) == targets(root)


def test_help_is_what_make_alone_shows(root: Path) -> None:
    assert make(root) == make(root, "help")


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_make_command_of_a_document_is_a_target(root: Path, document: str) -> None:
    text = (root / document).read_text()
    named = set(re.findall(r"(?:^\$ |`)make ([a-z-]+)", text, re.MULTILINE))
    assert named
    assert named <= targets(root)


def test_ci_runs_the_checks_and_the_test_command_of_the_readme(root: Path) -> None:
    script = (root / ".ci" / "run").read_text()
    assert re.findall(r"^make (\S+)$", script, re.MULTILINE) == ["check", "test"]
    assert "$ make test " in (root / "README.md").read_text()


def test_the_script_that_builds_the_control_plane_builds_all_that_tests_start(root: Path) -> None:
    script = (root / ".ci" / "control-plane").read_text()
    made = {word for line in script.splitlines() if not line.startswith("#") for word in re.split(r"[^\w.-]+", line)}
    text = "".join(path.read_text() for folder in ("tests", "benchmarks") for path in (root / folder).rglob("*.py"))
    started = set(re.findall(r"""\b(?:built|BUILT) / ["']([\w.-]+)["']""", text))
    assert {"kube-apiserver", "kubectl", "stages.yaml"} <= started
    assert started <= made | {"nowhere"}  # where Helm looks for settings of its own, and finds none
