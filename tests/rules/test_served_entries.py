"""Entries of a plan that mean nothing: each is one violation of `served`, with a number and a sentence."""

import pytest

from rules.kernel.plan import Degraded, Instances, Plan, Route, Unserved
from rules.kernel.rule import Violation
from rules.served import Served
from tests.rules.build import NOTHING, two_sites

UNKNOWN = "entries for what the problem does not have"
WHOLE = (Route("near", 600), Route("far", 400))
PROBLEM = two_sites().problem

CASES = {
    "an option that is not there": (
        Plan((Instances("gone", "edge-0", 1),), WHOLE),
        Violation("served", "gone on edge-0", 1, 0, None, UNKNOWN),
        "gone on edge-0: entries for what the problem does not have: 1, allowed: 0",
    ),
    "a node of another pool, named twice": (
        Plan((Instances("rec@edge", "cloud-0", 1), Instances("rec@edge", "cloud-0", 2)), WHOLE),
        Violation("served", "rec@edge on cloud-0", 2, 0, None, UNKNOWN),
        "rec@edge on cloud-0: entries for what the problem does not have: 2, allowed: 0",
    ),
    "a node of a pool that comes later": (
        Plan((Instances("rec@cloud", "edge-0", 1),), WHOLE),
        Violation("served", "rec@cloud on edge-0", 1, 0, None, UNKNOWN),
        "rec@cloud on edge-0: entries for what the problem does not have: 1, allowed: 0",
    ),
    "a path that is not there": (
        Plan(routes=(*WHOLE, Route("gone", 1))),
        Violation("served", "gone", 1, 0, None, UNKNOWN),
        "gone: entries for what the problem does not have: 1, allowed: 0",
    ),
    "a demand that is not there": (
        Plan(routes=WHOLE, unserved=(Unserved("gone@paris", 1),)),
        Violation("served", "gone@paris", 1, 0, None, UNKNOWN),
        "gone@paris: entries for what the problem does not have: 1, allowed: 0",
    ),
    "a service that is not there": (
        Plan(routes=WHOLE, degraded=(Degraded("gone", 1),)),
        Violation("served", "gone", 1, 0, None, UNKNOWN),
        "gone: entries for what the problem does not have: 1, allowed: 0",
    ),
    "two levels of one service": (
        Plan(routes=WHOLE, degraded=(Degraded("ocr", 0), Degraded("ocr", 1))),
        Violation("served", "ocr", 2, 1, None, "entries for one service"),
        "ocr: entries for one service: 2, allowed: 1",
    ),
    "a negative number of instances": (
        Plan((Instances("rec@edge", "edge-0", -1), Instances("rec@cloud", "cloud-0", 0)), WHOLE),
        Violation("served", "rec@edge on edge-0", -1, 0, None, "instances"),
        "rec@edge on edge-0: instances: -1, allowed: 0",
    ),
    "a negative share": (
        Plan(routes=(Route("near", 1000), Route("far", -1)), unserved=(Unserved("ocr@paris", 1),)),
        Violation("served", "far", -1, 0, None, "share"),
        "far adds up to -0.1 % instead of 0 %",
    ),
}


@pytest.mark.parametrize(("plan", "expected", "message"), CASES.values(), ids=CASES.keys())
def test_an_entry_that_means_nothing_is_a_violation(plan: Plan, expected: Violation, message: str) -> None:
    assert list(Served().check(plan, PROBLEM)) == [expected]
    assert Served().explain(expected).message == message


def test_a_share_of_more_than_all_is_not_made_up_for_by_one_below_nothing() -> None:
    plan = Plan(routes=(Route("near", 1001), Route("far", -1)))
    assert list(Served().check(plan, PROBLEM)) == [
        Violation("served", "near", 1001, 1000, None, "share"),
        Violation("served", "far", -1, 0, None, "share"),
    ]


def test_entries_for_one_path_add_up() -> None:
    assert list(Served().check(Plan(routes=(Route("near", 500), Route("near", 500))), PROBLEM)) == []


def test_a_problem_with_nothing_still_refuses_a_plan_with_something() -> None:
    assert Served().applies(NOTHING)
    assert list(Served().check(Plan(), NOTHING)) == []
    assert [found.subject for found in Served().check(Plan(routes=(Route("near", 1000),)), NOTHING)] == ["near"]
