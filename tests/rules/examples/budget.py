"""Budget: a node at the edge costs $0.30 an hour, each of two in the cloud $0.10."""

from policy.resolved import Ceiling
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, one_service, plan
from tests.rules.example import Domain, Example


def problem(*ceilings: Ceiling) -> Problem:
    fleet = Fleet().site("paris").site("lyon").pool("edge", "paris", price_millicents_per_hour=30_000)
    fleet = fleet.pool("cloud", "lyon", nodes=2, price_millicents_per_hour=10_000)
    return one_service(fleet).cost(ceilings=ceilings).problem


EXAMPLES = (
    Example(
        name="the fleet may cost exactly its ceiling",
        problem=problem(Ceiling("", 40_000, at(81)), Ceiling("lyon", 30_000, at(82))),
        on_limit=plan({("rec@edge", "edge-0"): 2, ("rec@cloud", "cloud-0"): 2}, {"near": 1000}),
        over_limit=plan(
            {("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1, ("rec@cloud", "cloud-1"): 1}, {"near": 1000}
        ),
        violation=Violation("budget", "the fleet", 50_000, 40_000, at(81)),
        message="the powered nodes of the fleet cost $0.5/h; the ceiling is $0.4/h",
        spared=(problem(), problem(Ceiling("", 50_000, at(81)))),
        domain=Domain(shares=(0,)),
    ),
    Example(
        name="a site's ceiling counts that site's nodes only",
        problem=problem(Ceiling("lyon", 19_999, at(82))),
        on_limit=plan({("rec@edge", "edge-0"): 2, ("rec@cloud", "cloud-0"): 2}, {"near": 1000}),
        over_limit=plan({("rec@cloud", "cloud-0"): 1, ("rec@cloud", "cloud-1"): 1}, {"far": 1000}),
        violation=Violation("budget", "lyon", 20_000, 19_999, at(82)),
        message="the powered nodes of lyon cost $0.2/h; the ceiling is $0.19999/h",
        spared=(problem(), problem(Ceiling("lyon", 20_000, at(82))), problem(Ceiling("paris", 30_000, at(82)))),
        domain=Domain(shares=(0,)),
    ),
)
