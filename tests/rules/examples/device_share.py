"""Device share: nodes that offer 600 permille, instances that take 300 and 1."""

from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import at, plan, two_places
from tests.rules.example import Example


def problem(share_permille: int) -> Problem:
    fleet = two_places().pool("big", "lyon", nodes=2, line=33, share_permille=share_permille)
    return fleet.option("det", "det", "big", share_permille=300).option("rec", "rec", "big", share_permille=1).problem


EXAMPLES = (
    Example(
        name="instances may take all that the device offers",
        problem=problem(600),
        on_limit=plan({("det", "big-0"): 2, ("det", "big-1"): 1, ("rec", "big-1"): 2}),
        over_limit=plan({("det", "big-0"): 2, ("rec", "big-0"): 1}),
        violation=Violation("device_share", "big-0", 601, 600, at(33)),
        message="node big-0 would give away 60.1 % of its device; 60 % is offered",
        spared=(two_places().problem, problem(601)),
    ),
)
