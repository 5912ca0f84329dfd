"""Replica bounds: from one to two instances, of the model anywhere or at one site."""

from policy.resolved import ReplicaBound
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import at, plan, two_sites
from tests.rules.example import Domain, Example


def problem(*bounds: ReplicaBound) -> Problem:
    return two_sites().option("det", "det", "edge").option("vad", "vad", "edge").scaling(bounds=bounds).problem


EVERYWHERE = problem(ReplicaBound("rec", "", 1, 2, at(91)))
IN_LYON = problem(ReplicaBound("rec", "lyon", 1, 2, at(91)))
IN_PARIS = problem(ReplicaBound("rec", "paris", 1, 2, at(91)))
NO_BOUND = problem()

EXAMPLES = (
    Example(
        name="as many as the maximum may run, over all sites together",
        problem=EVERYWHERE,
        on_limit=plan(
            {("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1, ("det", "edge-0"): 1, ("vad", "edge-0"): 1},
            {"near": 1000},
        ),
        over_limit=plan({("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 2}, {"near": 1000}),
        violation=Violation("replica_bounds", "rec at all sites", 3, 2, at(91)),
        message="rec at all sites would run in 3 instances; the nearest number allowed is 2",
        spared=(NO_BOUND, IN_LYON),
        domain=Domain(shares=(0,), counts=(0, 1, 3)),
    ),
    Example(
        name="as few as the minimum may run at a site",
        problem=IN_LYON,
        on_limit=plan({("rec@edge", "edge-0"): 3, ("rec@cloud", "cloud-0"): 1}, {"near": 1000}),
        over_limit=plan({("rec@edge", "edge-0"): 1, ("det", "edge-0"): 1, ("vad", "edge-0"): 1}, {"near": 1000}),
        violation=Violation("replica_bounds", "rec at lyon", 0, 1, at(91)),
        message="rec at lyon would run in 0 instances; the nearest number allowed is 1",
        spared=(NO_BOUND, EVERYWHERE),
        domain=Domain(shares=(0,), counts=(0, 1, 3)),
    ),
    Example(
        name="instances at a site before it in the alphabet do not count",
        problem=IN_PARIS,
        on_limit=plan({("rec@edge", "edge-0"): 2, ("rec@cloud", "cloud-0"): 3}, {"near": 1000}),
        over_limit=plan({("rec@edge", "edge-0"): 3}, {"near": 1000}),
        violation=Violation("replica_bounds", "rec at paris", 3, 2, at(91)),
        message="rec at paris would run in 3 instances; the nearest number allowed is 2",
        spared=(NO_BOUND,),
        domain=Domain(shares=(0,), counts=(0, 1, 3)),
    ),
)
