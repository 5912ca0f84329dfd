"""An objective of the first response has no error budget: no span of a caller tells when a response began."""

from dataclasses import replace
from pathlib import Path

import yaml

from collectors.objective_runs import RunCounts
from controller.alerting.rules import rule_file
from policy.resolved import Policy
from policy.source import load

EXAMPLE = Path(__file__).parents[2] / "examples" / "privacy"


def policy(*, of_first: bool) -> Policy:
    """The example with its objectives of one kind alone."""
    loaded = load(EXAMPLE).policy
    assert loaded is not None
    (service,) = loaded.services
    kept = tuple(each for each in service.latency if each.of_first == of_first)
    assert kept
    return replace(loaded, services=(replace(service, latency=kept),))


def test_rules_are_written_of_whole_responses_alone() -> None:
    assert len(yaml.safe_load(rule_file(policy(of_first=False)))["groups"]) == 1
    assert yaml.safe_load(rule_file(policy(of_first=True)))["groups"] == []


def test_runs_are_counted_for_whole_responses_alone() -> None:
    assert [each.below_us for each in RunCounts(lambda: policy(of_first=False).services).totals()] == [2_000_000]
    assert RunCounts(lambda: policy(of_first=True).services).totals() == ()
