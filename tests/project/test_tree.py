import re
import subprocess
from pathlib import Path

import pytest

FOREIGN_HOSTS = re.compile(
    rb"pypi\.org|files\.pythonhosted\.org|registry\.npmjs|proxy\.golang\.org|index-url", re.IGNORECASE
)
ABSOLUTE = re.compile(rb"""["'\s=(](/(?:home|root|work|Users|mnt)/[\w.-]+)""")
THIS = Path("tests/project/test_tree.py")


def texts(root: Path) -> list[tuple[Path, bytes]]:
    """The tracked files that are text, each with its contents."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True)  # noqa: S607
    names = [Path(name) for name in listed.stdout.split("\0") if name and (root / name).is_file()]
    found = [(name, (root / name).read_bytes()) for name in names if name != THIS]
    return [(name, data) for name, data in found if b"\0" not in data[:4096]]


def test_no_file_names_a_folder_of_somebodys_machine(root: Path) -> None:
    hits = [(str(name), match.decode()) for name, data in texts(root) for match in ABSOLUTE.findall(data)]
    assert hits == []


def test_no_file_names_a_package_index(root: Path) -> None:
    hits = [(str(name), match.decode()) for name, data in texts(root) for match in FOREIGN_HOSTS.findall(data)]
    assert hits == []


def test_every_data_folder_tells_its_sources(root: Path) -> None:
    notice = (root / "NOTICE").read_text()
    for sources in re.findall(r"- (\S+SOURCES\.md)", notice):
        assert (root / sources).is_file()
    for sources in root.glob("controller/**/SOURCES.md"):
        assert str(sources.relative_to(root)) in notice


def test_every_link_between_documents_leads_somewhere(root: Path) -> None:
    documents = [*root.glob("*.md"), *root.glob("docs/**/*.md")]
    links = [
        (document, target)
        for document in documents
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", document.read_text())
        if "://" not in target
    ]
    assert links
    assert [f"{document.name}: {target}" for document, target in links if not (document.parent / target).exists()] == []


@pytest.mark.parametrize(
    "script", [".ci/run", ".ci/python", ".ci/image", ".ci/promtool", ".ci/control-plane", ".ci/sbom"]
)
def test_every_script_is_strict_and_parses(root: Path, script: str) -> None:
    assert "set -euo pipefail" in (root / script).read_text()
    subprocess.run(["bash", "-n", root / script], check=True)  # noqa: S607


def test_every_module_of_tests_has_a_name_of_its_own(root: Path) -> None:
    """Pytest imports a test by its file's name alone: two of one name stop a run before its first test."""
    names = [path.name for path in root.glob("tests/**/test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_every_decision_has_a_number_of_its_own_which_its_title_repeats(root: Path) -> None:
    pages = sorted((root / "docs/decisions").glob("[0-9]*.md"))
    numbers = [int(page.name.partition("-")[0]) for page in pages]
    assert len(numbers) == len(set(numbers))
    assert [page.read_text(encoding="utf-8").partition(".")[0] for page in pages] == [f"# {each}" for each in numbers]
