"""The rules as Prometheus itself judges them: they fire when the budget burns, and at no other time."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from alerting_series import ROOT, ended, fired, promising, samples, series

from controller.alerting.rules import rule_file
from policy.findings import Place
from policy.resolved import Policy, ScaleToZero
from policy.source import load

DAY_S = 86_400
MONTH = (9_900, 400_000, 30 * DAY_S, "")


def ran(promtool: Path, *arguments: str | Path) -> str:
    done = subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def simulated(promtool: Path, folder: Path, policy: Policy, loads: list[Any], expected: list[Any]) -> None:
    """Have Prometheus evaluate the rules over synthetic runs, once a minute."""
    (folder / "rules.yaml").write_text(rule_file(policy))
    test = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": loads, "promql_expr_test": expected}],
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(test))
    ran(promtool, "test", "rules", folder / "test.yaml")


@pytest.mark.parametrize("example", ["embedded", "health"])
def test_the_rules_of_an_example_are_rules(promtool: Path, tmp_path: Path, example: str) -> None:
    policy = load(ROOT / "examples" / example).policy
    assert policy is not None
    (tmp_path / "rules.yaml").write_text(rule_file(policy))
    assert "SUCCESS" in ran(promtool, "check", "rules", tmp_path / "rules.yaml")


def test_objectives_of_the_same_numbers_are_told_apart(promtool: Path, tmp_path: Path, policy: Policy) -> None:
    twice = promising(policy, MONTH, MONTH, (*MONTH[:3], "edge-paris"))
    (tmp_path / "rules.yaml").write_text(rule_file(twice))
    assert "SUCCESS" in ran(promtool, "check", "rules", tmp_path / "rules.yaml")
    groups = yaml.safe_load(rule_file(twice))["groups"]
    labels = [
        (each["record"], each["labels"]["objective"]) for one in groups for each in one["rules"] if "record" in each
    ]
    assert len(labels) == len(set(labels)) == 3 * 5


def test_a_policy_without_objectives_has_no_groups(policy: Policy) -> None:
    assert rule_file(promising(policy)) == "groups: []\n"


def test_nothing_fires_while_the_promise_is_kept(promtool: Path, tmp_path: Path, policy: Policy) -> None:
    # 100 runs a minute, of which every second minute one is slow: half of the budget of 1 %.
    loads = series("edge-paris", runs="0+200x2160", slow="0+1x2160", step=2)
    simulated(promtool, tmp_path, promising(policy, MONTH), loads, [ended("1d"), ended("3d")])


def test_a_page_fires_within_the_hour_and_ends_soon_after(promtool: Path, tmp_path: Path, policy: Policy) -> None:
    # Two quiet hours, then of 100 runs a minute 30 are slow for an hour, then none. After m minutes of it 30m of 6,000
    # runs were slow in an hour, over 14.4 % from m = 29 on, and 30m of 100(120 + m) in all, over 6 % beyond m = 30.
    loads = series("edge-paris", runs="0+100x480", slow="0x120 0+30x59 1800x300")
    checks = [
        ended("2h"),
        fired("2h27m", ticket=["3d"]),
        fired("2h35m", page=["1h", "6h"], ticket=["3d"]),
        fired("3h", page=["1h", "6h"], ticket=["3d"]),
        fired("3h5m", page=["6h"], ticket=["3d"]),
        fired("4h", ticket=["3d"]),
    ]
    simulated(promtool, tmp_path, promising(policy, MONTH), loads, checks)


def test_only_the_origin_whose_runs_are_slow_is_told(promtool: Path, tmp_path: Path, policy: Policy) -> None:
    loads = [
        *series("edge-paris", runs="0+100x240", slow="0+50x240"),
        *series("edge-lyon", runs="0+100x240", slow="0x240"),
    ]
    expected = samples("4h", 'count by (origin) (ALERTS{severity="page", long="1h"})', [('{origin="edge-paris"}', 1)])
    simulated(promtool, tmp_path, promising(policy, MONTH), loads, [expected])


def test_a_service_that_nobody_calls_is_silent(promtool: Path, tmp_path: Path, policy: Policy) -> None:
    loads = series("edge-paris", runs="0x240", slow="0x240")
    simulated(promtool, tmp_path, promising(policy, MONTH), loads, [ended("4h")])


def test_a_controller_that_starts_anew_fires_nothing(promtool: Path, tmp_path: Path, policy: Policy) -> None:
    # Its counters begin at 0 again; what is slow stays at 0.5 %.
    loads = series("edge-paris", runs="0+200x60 0+200x60", slow="0+1x60 0+1x60")
    simulated(promtool, tmp_path, promising(policy, MONTH), loads, [ended("1h"), ended("1h2m"), ended("2h")])


def test_a_window_of_minutes_is_told_once_its_share_is_too_large(
    promtool: Path, tmp_path: Path, policy: Policy
) -> None:
    loads = series("edge-paris", runs="0+100x60", slow="0x30 0+2x30")
    short = promising(policy, (9_900, 400_000, 300, ""))
    simulated(promtool, tmp_path, short, loads, [ended("29m"), fired("40m", ticket=["5m"])])


def test_too_few_sites_are_told_once_the_plan_has_settled_and_while_the_controller_is_ready(
    promtool: Path, tmp_path: Path
) -> None:
    policy = load(ROOT / "examples" / "embedded").policy
    assert policy is not None
    model, (one, other) = "ppocr-det", [pool.name for pool in policy.pools if pool.site.startswith("edge")][:2]
    at = 'gridwright_plan_instances{{model="ppocr-det", variant="fp32", pool="{}"}}'
    loads = [
        {"series": "gridwright_ready", "values": "1x40 0x20"},
        {"series": at.format(one), "values": "2x60"},
        {"series": at.format(other), "values": "1x10 0x50"},
    ]
    service = next(each for each in policy.services if any(stage.model == model for stage in each.stages))
    labels = f'alertname="GridwrightTooFewSites", alertstate="firing", stage="detect", service="{service.name}"'
    expression = f"count(ALERTS{{{labels}}})"
    checks = [
        samples("10m", expression, []),
        samples("14m", expression, []),
        samples("20m", expression, [("{}", 1)]),
        samples("50m", expression, []),
    ]
    simulated(promtool, tmp_path, policy, loads, checks)


def test_a_service_that_sleeps_is_not_told_to_stand_at_too_few_sites_until_it_is_awake(
    promtool: Path, tmp_path: Path
) -> None:
    policy = load(ROOT / "examples" / "embedded").policy
    assert policy is not None
    nightly = tuple(
        replace(each, scale_to_zero=ScaleToZero(900, 30_000_000, Place("s", 1, 1))) for each in policy.services
    )
    service = next(each.name for each in nightly if each.availability and each.availability.sites > 1)
    # Nothing stands all the time; it sleeps until minute 30, and should stand from then on.
    loads = [
        {"series": "gridwright_ready", "values": "1x60"},
        {"series": f'gridwright_service_asleep{{service="{service}"}}', "values": "1x29 0x30"},
    ]
    firing = f'count(ALERTS{{alertname="GridwrightTooFewSites", alertstate="firing", service="{service}"}}) > bool 0'
    checks = [samples("29m", firing, []), samples("33m", firing, []), samples("40m", firing, [("{}", 1)])]
    simulated(promtool, tmp_path, replace(policy, services=nightly), loads, checks)
