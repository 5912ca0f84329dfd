"""Churn: two instances of a variant must stay for now, whatever their setting."""

from rules.kernel.problem import Placement, Problem
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, plan, two_sites
from tests.rules.example import Domain, Example

REC = Placement("rec", "fp32", "edge")


def fleet() -> Fleet:
    return two_sites().option("b4", "rec", "edge", max_batch=4).option("int8", "rec", "edge", variant="int8")


def problem(minimum: int) -> Problem:
    return fleet().floor(REC, minimum, "at most half of them may go in one step").problem


EXAMPLES = (
    Example(
        name="a placement may shrink to its floor, not below",
        problem=problem(2),
        on_limit=plan({("b4", "edge-0"): 2}, {"far": 0}, {"ocr@paris": 1000}, {"ocr": 1}),
        over_limit=plan({("b4", "edge-0"): 1, ("int8", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}, {"far": 1000}),
        violation=Violation("churn", "rec/fp32@edge", 1, 2, at(90), "at most half of them may go in one step"),
        message=(
            "rec/fp32@edge would keep 1 of the 2 instances that must stay for now: "
            "at most half of them may go in one step"
        ),
        spared=(fleet().problem, problem(1)),
        domain=Domain(shares=(0,)),
    ),
)
