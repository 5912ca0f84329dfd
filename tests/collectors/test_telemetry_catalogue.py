"""The catalogue, what words its findings, what raises them, and the page that explains them name the same ids."""

import re
from pathlib import Path

from collectors.catalogue import TITLES

ROOT = Path(__file__).parents[2]
ID = re.compile(r'"(GW05\d\d)"')


def ids_in(folder: Path, pattern: str) -> set[str]:
    files = [file for file in folder.rglob(pattern) if "evidence" not in file.parts]
    return {found for file in files for found in ID.findall(file.read_text())}


def test_every_id_is_worded_in_the_catalogue_and_nowhere_else() -> None:
    worded = re.findall(r'(?:Finding\(|: )"(GW05\d\d)"', (ROOT / "collectors/catalogue.py").read_text())
    assert sorted(worded) == sorted(TITLES)
    elsewhere = {file: ID.findall(file.read_text()) for file in (ROOT / "collectors").rglob("*.py")}
    assert {file.name for file, found in elsewhere.items() if found} == {"catalogue.py"}


def test_every_id_is_raised_by_a_test() -> None:
    assert ids_in(Path(__file__).parent, "test_*.py") >= set(TITLES)


def test_every_id_is_explained_on_the_page_with_its_title() -> None:
    page = (ROOT / "docs/telemetry.md").read_text()
    rows = dict(re.findall(r"^\| (GW05\d\d) \| ([^|]+) \|", page, re.MULTILINE))
    assert rows == dict(TITLES)


def test_titles_are_short_and_plain() -> None:
    assert all(title[0].islower() and not title.endswith(".") and len(title) < 80 for title in TITLES.values())
