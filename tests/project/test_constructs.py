"""The table of what the language can say is complete, and everything that it names is there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from policy.documents import KINDS
from policy.documents.compliance_profile import ClausesSpec
from policy.documents.shape import fields, part_in
from rules.catalogue import RULES

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/constructs.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| construct")
]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def leaves(part: type[BaseModel], before: str) -> Iterator[str]:
    """The fields of a part that hold a value, and those of the parts in it; clauses that another kind has are one."""
    for name, info in fields(part).items():
        inner = part_in(info.annotation)
        inner = None if inner is ClausesSpec else inner
        yield from leaves(inner, f"{before}.{name}") if inner else [f"{before}.{name}"]


def values(item: Any, names: list[str]) -> Iterator[Any]:
    """What stands at a path of fields, in all entries of lists on the way."""
    if isinstance(item, list):
        for each in item:
            yield from values(each, names)
    elif not names:
        yield item
    elif isinstance(item, dict) and names[0] in item:
        yield from values(item[names[0]], names[1:])


def written(path: Path) -> list[Any]:
    """The documents of a file, on a page those in its blocks of YAML."""
    text = path.read_text(encoding="utf-8")
    texts = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL) if path.suffix == ".md" else [text]
    return [document for each in texts for document in yaml.safe_load_all(each)]


def test_every_field_of_every_kind_stands_in_exactly_one_row() -> None:
    listed = [field for row in ROWS for field in quoted(row[1])]
    assert sorted(listed) == sorted(leaf for kind in KINDS for leaf in leaves(KINDS[kind], kind))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_keeps_it_is_there(row: list[str]) -> None:
    rules = quoted(row[2])
    pages = re.findall(r"\]\(([a-z-]+\.md)\)", row[2])
    assert set(rules) <= {rule.id for rule in RULES}
    assert all((ROOT / "docs" / page).is_file() for page in pages)
    assert rules or pages or row[2] in {"the same", "nothing yet: read, and used by no rule"}


def test_every_rule_keeps_something() -> None:
    assert {name for row in ROWS for name in quoted(row[2])} == {rule.id for rule in RULES}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_example_says_it(row: list[str]) -> None:
    documents = [document for name in quoted(row[3]) for document in written(ROOT / name)]
    for field in quoted(row[1]):
        kind, *names = field.split(".")
        found = [each for item in documents if item["kind"] == kind for each in values(item["spec"], names)]
        assert found, f"{row[3]} does not use {field}"
