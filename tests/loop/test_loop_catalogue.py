"""Every finding of the loop is in the catalogue, and every one in the catalogue is made somewhere."""

import re
from pathlib import Path

from controller.loop.catalogue import TITLES

ROOT = Path(__file__).parents[2]
SOURCES = [*(ROOT / "controller/loop").glob("*.py"), *(ROOT / "controller/journal").glob("*.py")]


def test_the_catalogue_and_the_code_name_the_same_findings() -> None:
    made = {
        found for file in SOURCES for found in re.findall(r'Finding\(\s*"(GW3\d{3})"', file.read_text(encoding="utf-8"))
    }
    assert made == set(TITLES)


def test_the_operations_manual_explains_each_of_them() -> None:
    manual = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert {finding for finding in TITLES if finding not in manual} == set()


def test_the_operations_manual_lists_every_metric() -> None:
    manual = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    present = (ROOT / "controller/telemetry/present.py").read_text(encoding="utf-8")
    counted = (ROOT / "controller/telemetry/metrics.py").read_text(encoding="utf-8")
    names = {f"gridwright_{name}" for name in re.findall(r'_gauge\(\s*"(\w+)"', present)}
    names |= set(re.findall(r'"(gridwright_\w+)"', present + counted))
    assert len(names) >= 15
    assert {name for name in names if name not in manual} == set()
