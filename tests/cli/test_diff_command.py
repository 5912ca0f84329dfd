"""What a change of policy does, as the command tells it."""

import shutil
from pathlib import Path

import pytest
from process import ROOT, gridwright

HEALTH = ROOT / "examples" / "health"


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """The example, where reserved nodes are no longer good enough."""
    folder = shutil.copytree(HEALTH, tmp_path / "policy")
    file = folder / "compliance.yaml"
    file.write_text(
        "# one line more\n" + file.read_text().replace("[on-demand, reserved, owned]", "[on-demand, owned]")
    )
    return folder


def test_the_same_policy_changes_nothing() -> None:
    ran = gridwright("diff", HEALTH, HEALTH)
    assert (ran.status, ran.out) == (0, "nothing changes, at $1.10/h\n")


def test_a_change_is_told_with_its_cost_its_placements_and_its_findings(changed: Path) -> None:
    ran = gridwright("diff", HEALTH, changed)
    assert ran.status == 2
    first, *lines = ran.out.splitlines()
    assert first.startswith("$1.10/h becomes $0.20/h (-$0.90/h)")
    assert [line.split() for line in lines if line.startswith("-")][:1] == [
        ["-", "remove-names/fp16@hospital", "1", "instance"]
    ]
    assert any(line.startswith("x-ray-triage  hospital-lille") and line.endswith("0 %") for line in lines)
    assert any("GW2011: these clauses cannot all hold: purchase (compliance.yaml:19:13)" in line for line in lines)


def test_a_finding_that_only_moved_is_not_new(changed: Path) -> None:
    (changed / "compliance.yaml").write_text("# one line more\n" + (HEALTH / "compliance.yaml").read_text())
    ran = gridwright("diff", HEALTH, changed)
    assert (ran.status, ran.out) == (0, "nothing changes, at $1.10/h\n")


def test_markdown_is_tables_of_cells_without_markup(changed: Path) -> None:
    out = gridwright("diff", HEALTH, changed, "--output", "markdown").out
    rows = [line for line in out.splitlines() if line.startswith("|")]
    assert out.startswith("### Gridwright: $1.10/h becomes $0.20/h")
    assert {row.replace("\\|", "").count("|") for row in rows} == {5, 7}
    assert "device\\_share" in out


def test_json_has_both_sides(changed: Path) -> None:
    answer = gridwright("diff", HEALTH, changed, "--json").json()
    assert answer["before"]["cost_millicents_per_hour"] == 110_000
    assert (answer["after"]["at_rest"], answer["went"]) == (True, [])
    assert {each["id"] for each in answer["came"]} == {"GW2010", "GW2011", "GW2018"}


def test_a_policy_with_errors_is_compared_with_nothing(changed: Path) -> None:
    (changed / "fleet.yaml").write_text("kind: [")
    ran = gridwright("diff", HEALTH, changed)
    assert (ran.status, "fleet.yaml" in ran.err or "fleet.yaml" in ran.out) == (1, True)


def test_one_way_to_write_it_is_asked_for() -> None:
    ran = gridwright("diff", HEALTH, HEALTH, "--json", "--output", "markdown")
    assert ran.status == 1
    assert "leave one of the two out" in ran.err
