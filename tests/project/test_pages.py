"""The pages of the documentation name everything that there is, and nothing that there is not."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from policy.documents import KINDS
from policy.documents.compliance_profile import ClausesSpec
from policy.documents.shape import fields, part_in
from policy.remedies import REMEDIES
from rules.catalogue import RULES
from tests.project.catalogues import DECIDING, POLICY, TITLES

MADE = re.compile(r'(?:Finding|error|warning)\(\s*"(GW\d{4})"|(?:_Unreadable|Refused|Unreachable)Error\(\s*"(GW\d{4})"')


def ids_made(root: Path, *folders: str) -> set[str]:
    """The ids of the findings that the code of some folders makes."""
    texts = [file.read_text(encoding="utf-8") for folder in folders for file in (root / folder).rglob("*.py")]
    return {one or other for text in texts for one, other in MADE.findall(text)}


def test_every_finding_is_explained_and_every_explanation_has_its_finding(root: Path) -> None:
    explained = re.findall(r"^\| (GW\d{4}) \|", (root / "docs/findings.md").read_text(encoding="utf-8"), re.MULTILINE)
    deciding = {one for one in ids_made(root, "controller") if one.startswith("GW2")}  # the loop's are in operations.md
    assert len(explained) == len(set(explained))
    assert deciding == set(DECIDING)
    assert set(explained) == {*TITLES, *(rule.finding_id for rule in RULES)}


def test_the_policy_catalogue_and_the_code_name_the_same_findings(root: Path) -> None:
    assert ids_made(root, "policy", "collectors/evidence") == set(POLICY)


def test_the_titles_of_a_page_are_those_of_the_catalogue(root: Path) -> None:
    page = (root / "docs/findings.md").read_text(encoding="utf-8").replace("MODEL--VARIANT", "<model>--<variant>")
    assert {i: t for i, t in TITLES.items() if not re.search(rf"^\| {i} \| {re.escape(t)}", page, re.MULTILINE)} == {}


def test_what_a_page_says_to_do_is_what_the_remedies_say(root: Path) -> None:
    page = (root / "docs/findings.md").read_text(encoding="utf-8")
    without_links = re.sub(r"\[([^]]+)\]\([^)]+\)", r"docs/\1", page)
    told = dict(re.findall(r"^\| (GW0[1-4]\d\d) \|.* \| (.*) \|$", without_links, re.MULTILINE))
    assert told == REMEDIES


def below(part: type[BaseModel]) -> set[str]:
    """The names of all fields of a part and of the parts in it; clauses that another kind has are told of there."""
    found: set[str] = set()
    for name, info in fields(part).items():
        inner = part_in(info.annotation)
        found |= {name} | (below(inner) if inner and inner is not ClausesSpec else set())
    return found


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_language_page_names_exactly_the_fields_of_a_kind(root: Path, kind: str) -> None:
    page = (root / "docs/language.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {kind}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert section, f"docs/language.md has no section on {kind}"
    rows = re.findall(r"^\| `([^`]+)` \|", section[1], re.MULTILINE)
    assert {row.rpartition(".")[2].removesuffix("[]") for row in rows} == below(KINDS[kind])
