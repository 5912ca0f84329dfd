"""Commands read a policy with variables in the environment that they are given."""

import shutil
from pathlib import Path

import pytest
from process import ROOT, gridwright

EXAMPLE = ROOT / "examples" / "environments"


def spoilt(tmp_path: Path, old: str, new: str) -> Path:
    folder = tmp_path / "policy"
    shutil.copytree(EXAMPLE, folder)
    file = folder / "variables.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    return folder


def test_a_check_without_an_environment_tells_of_which_environments_a_finding_is(tmp_path: Path) -> None:
    folder = spoilt(tmp_path, "ceiling: {dev: $0.50/h, prod: $4.00/h}", "ceiling: {dev: $0.50/h, prod: $0.10/h}")
    ran = gridwright("check", folder, "--json")
    (finding,) = ran.json()
    assert (ran.status, finding["id"]) == (0, "GW0333")
    assert finding["message"].startswith("in prod: $0.10/h does not pay for one node")
    assert finding["file"] == "policy.yaml"
    assert gridwright("check", folder, "--environment", "dev", "--json").json() == []


def test_what_is_wrong_in_every_environment_is_told_once(tmp_path: Path) -> None:
    folder = spoilt(tmp_path, "edgeNodes: {dev: 1, prod: 4}", "edgeNodes: {dev: one, prod: four}")
    ran = gridwright("check", folder, "--json")
    told = [(finding["line"], finding["message"].partition(":")[0]) for finding in ran.json()]
    assert ran.status == 1
    assert told == [(7, "in dev"), (7, "in prod")]
    (folder / "site.yaml").write_text("kind: Site\n")
    lines = [(each["file"], each["id"]) for each in gridwright("check", folder, "--json").json()]
    assert len([each for each in lines if each == ("site.yaml", "GW0201")]) == 1


def test_a_plan_needs_an_environment_and_follows_it() -> None:
    without = gridwright("plan", EXAMPLE)
    assert without.status == 1
    assert "give --environment with one of dev, prod" in without.err
    dev, prod = (gridwright("plan", EXAMPLE, "--environment", name, "--json").json() for name in ("dev", "prod"))
    instances = [sum(load["instances"] for load in each["plan"]["fleet"]["loads"]) for each in (dev, prod)]
    assert instances == [1, 2]


def test_a_word_that_no_environment_has_is_told_with_the_nearest_one() -> None:
    ran = gridwright("plan", EXAMPLE, "--environment", "pord")
    assert ran.status == 1
    assert "GW0364" in ran.err
    assert "did you mean `prod`?" in ran.err


def test_a_diff_compares_within_one_environment(tmp_path: Path) -> None:
    folder = spoilt(tmp_path, "requests: {dev: 2 req/s, prod: 30 req/s}", "requests: {dev: 2 req/s, prod: 50 req/s}")
    assert gridwright("diff", EXAMPLE, folder, "--environment", "dev").status == 0
    assert gridwright("diff", EXAMPLE, folder, "--environment", "prod").status == 2


@pytest.mark.parametrize("command", ["check", "plan", "apply", "diff", "explain", "run", "up", "evidence verify"])
def test_every_command_that_reads_a_policy_has_the_option(command: str) -> None:
    assert "--environment" in gridwright(*command.split(), "--help").out
