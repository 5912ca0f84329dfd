"""When evidence ends and what goes with it, asked for on the command line."""

import shutil
from pathlib import Path

from process import EXAMPLE, gridwright


def test_the_soonest_end_is_told_first_with_what_it_takes_away() -> None:
    ran = gridwright("evidence", "forecast", EXAMPLE)
    assert ran.status == 0
    first, second = ran.out.split("What stops being allowed")
    assert first.index("edge-lyon") < first.index("cloud-frankfurt") < first.index("edge-paris")
    row = next(line.split() for line in second.splitlines() if " detect " in line)
    assert row[:4] == ["2030-01-15", "00:00Z", "2030-01-14", "23:59Z"]
    assert row[-1] == "NOTHING"


def test_programs_read_the_same(tmp_path: Path) -> None:
    folder = shutil.copytree(EXAMPLE, tmp_path / "policy")
    told = gridwright("evidence", "forecast", folder, "--json").json()
    assert told["ok"] is True
    assert [each["subject"] for each in told["endings"]] == ["edge-lyon", "cloud-frankfurt", "edge-paris"]
    assert {(each["service"], each["at"]) for each in told["lapses"]} == {("receipt-ocr", "2030-01-15T00:00:00Z")}
    for document in (folder / "evidence").iterdir():
        document.unlink()
    ran = gridwright("evidence", "forecast", folder)
    assert (ran.status, ran.out) == (0, "No evidence ends.\n")


def test_refused_evidence_is_told_and_fails(tmp_path: Path) -> None:
    folder = shutil.copytree(EXAMPLE, tmp_path / "policy")
    (folder / "evidence" / "odd.pem").write_text("none")
    ran = gridwright("evidence", "forecast", folder)
    assert ran.status == 1
    assert "GW0431" in ran.out
