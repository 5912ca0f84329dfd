"""The reference instance a little later, as the benchmark of small changes makes it."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import placement_changed
import pytest
from placement_changed import BY, changed

DEMANDS = 400


@pytest.fixture
def instance() -> dict[str, Any]:
    return {
        "params": {"big_m": 1},
        "demands": [{"id": f"d{at}", "rate": 10.0} for at in range(DEMANDS)],
        "pools": [{"id": "near", "site": "a", "count": 3}, {"id": "far", "site": "b", "count": 2}],
    }


PLAN = {"nodes": [["near", [0, 0, 1]], ["near", [1]], ["far", [2]]]}


def rates(raw: dict[str, Any]) -> list[float]:
    return [item["rate"] for item in raw["demands"]]


def test_a_tenth_of_the_demands_changes_by_a_third_and_the_same_seed_changes_the_same(instance: dict[str, Any]) -> None:
    later = changed(instance, PLAN, 1, seed=3)
    other = [rate for rate in rates(later) if rate != 10.0]
    assert DEMANDS // 20 < len(other) < DEMANDS // 5
    assert {rate / 10.0 for rate in other} == set(BY)
    assert later == changed(instance, PLAN, 1, seed=3)
    assert rates(later) != rates(changed(instance, PLAN, 1, seed=4))


@pytest.mark.parametrize(("about", "lost"), [(1, "b"), (4, "a")])
def test_the_site_that_is_lost_held_about_so_many_instances(instance: dict[str, Any], about: int, lost: str) -> None:
    later = changed(instance, PLAN, about, seed=1)
    assert {pool["site"] for pool in later["pools"] if not pool["count"]} == {lost}
    assert instance["pools"][0]["count"] == 3


def test_the_command_writes_an_instance_with_a_price_of_starts(
    instance: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: Sequence[Path] = [tmp_path / name for name in ("instance.json", "plan.json", "later.json")]
    files[0].write_text(json.dumps(instance))
    files[1].write_text(json.dumps(PLAN))
    monkeypatch.setattr(sys, "argv", ["placement_changed.py", *map(str, files), "--lost", "1"])
    placement_changed.main()
    assert json.loads(files[2].read_text())["params"]["churn_cost"] > 0
