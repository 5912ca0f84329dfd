"""Where no plan keeps every rule the command says so, and exits as it says it would."""

import shutil
from pathlib import Path

from process import ROOT, gridwright


def test_a_bound_that_nothing_can_hold_leaves_no_plan(tmp_path: Path) -> None:
    folder = shutil.copytree(ROOT / "examples" / "embedded", tmp_path / "policy")
    fleet = folder / "fleet.yaml"
    asked = "{model: ppocr-det, min: 1, max: 8}"
    assert asked in fleet.read_text()
    fleet.write_text(fleet.read_text().replace(asked, "{model: ppocr-det, min: 900, max: 999}"))
    ran = gridwright("plan", folder, "--json")
    plan = ran.json()["plan"]
    assert (ran.status, plan["verdict"]) == (3, "impossible")
    assert "GW2012" in {finding["id"] for finding in plan["findings"]}
