"""There is a page of each finding, and it is the one that the table and the broken documents make."""

import re
from pathlib import Path

import pytest
from finding_pages import BROKEN, FOLDER, TABLE, TOLD, examples, pages, title

from policy.catalogue import TITLES
from policy.parse import parse

MADE = pages()


@pytest.mark.parametrize("path", MADE, ids=lambda path: path.stem)
def test_the_page_is_what_the_table_and_the_documents_make(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == MADE[path], "run `make findings`"


def test_there_is_a_page_of_each_finding_and_no_other() -> None:
    explained = re.findall(r"^\| (GW\d{4}) \|", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {path.stem for path in FOLDER.glob("GW*.md")} == set(explained)


def test_every_finding_of_documents_that_the_tests_provoke_has_an_example() -> None:
    lines = (line for golden in BROKEN.glob("*.txt") for line in golden.read_text().splitlines())
    provoked = {match[3] for line in lines if (match := TOLD.match(line))}
    assert provoked == examples().keys()
    assert len(provoked & TITLES.keys()) >= 30


def test_an_example_holds_the_line_that_its_finding_names() -> None:
    for finding, example in examples().items():
        line = int(example.told.split(":")[1])
        assert example.first <= line < example.first + len(example.lines), finding


@pytest.mark.parametrize("finding", ["GW0201", "GW0202", "GW0302", "GW0304", "GW0378"])
def test_an_example_is_yaml_as_it_stands(finding: str) -> None:
    example = examples()[finding]
    assert parse("page.yaml", "\n".join(example.lines)).documents
    assert title(finding) in MADE[FOLDER / f"{finding}.md"]
