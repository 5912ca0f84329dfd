"""One setting: a model that may be loaded with batches of 1 or of 4, and another variant of it beside."""

from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, plan, two_places
from tests.rules.example import Example


def problem(fleet: Fleet, second_variant: str) -> Problem:
    fleet = fleet.option("b1", "rec", "edge", max_batch=1)
    return fleet.option("b4", "rec", "edge", variant=second_variant, max_batch=4).problem


EXAMPLES = (
    Example(
        name="all instances of a placement share a setting",
        problem=problem(two_places().option("int8", "rec", "edge", variant="int8"), "fp32"),
        on_limit=plan({("b1", "edge-0"): 2, ("int8", "edge-0"): 1}),
        over_limit=plan({("b1", "edge-0"): 1, ("b4", "edge-0"): 1}),
        violation=Violation("one_setting", "rec/fp32@edge", 2, 1, at(31)),
        message="rec/fp32@edge would run with 2 settings; a server keeps 1",
        spared=(problem(two_places(), "int8"),),
    ),
)
