"""Evidence about what the policy has not, judged without reading any."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from policy.checks.strangers import strangers
from policy.findings import Level, Place
from policy.source import load

EXAMPLE = Path(__file__).parents[2] / "examples" / "embedded"
PLACE = Place("evidence/paris.yaml", 4, 18)
POLICY = load(EXAMPLE).policy


@dataclass(frozen=True)
class Said:
    subject_kind: str
    subject: str
    place: Place = PLACE


def hints(*said: Said) -> list[str]:
    assert POLICY
    return [finding.hint for finding in strangers(said, POLICY)]


def test_a_misspelt_site_is_told_of_where_it_is_written() -> None:
    assert POLICY
    (finding,) = strangers([Said("site", "edge-pariz"), Said("site", "edge-paris")], POLICY)
    assert (finding.id, finding.level, finding.place) == ("GW0439", Level.WARNING, PLACE)
    assert finding.message == "no document declares a site named `edge-pariz`, so this changes nothing"
    assert finding.hint.startswith("did you mean `edge-paris`?")


@pytest.mark.parametrize("kind", ["pool", "link"])
def test_a_name_of_another_kind_is_no_such_name(kind: str) -> None:
    assert len(hints(Said(kind, "moon"))) == 1


def test_of_nodes_and_artefacts_nothing_is_said() -> None:
    assert hints(Said("node", "edge-moon/gpu-17"), Said("artefact", "sha256:00")) == []
