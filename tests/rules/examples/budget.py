"""Budget: a node at the edge costs $0.30 an hour, each of two in the cloud $0.10.

Where links have a price, each second a request of 1 MiB comes from Paris: 3600 MiB an hour, or 3.515625 GiB.
"""

from dataclasses import replace

from policy.resolved import Ceiling
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, one_service, plan
from tests.rules.example import Domain, Example


def problem(*ceilings: Ceiling) -> Problem:
    fleet = Fleet().site("paris").site("lyon").pool("edge", "paris", price_millicents_per_hour=30_000)
    fleet = fleet.pool("cloud", "lyon", nodes=2, price_millicents_per_hour=10_000)
    return one_service(fleet).cost(ceilings=ceilings).problem


def far_away(
    millicents_per_gib: int, *ceilings: Ceiling, far: str = "lyon", payload_bytes: int = 512 * 1024
) -> Problem:
    """Nodes for nothing, and a price on what leaves Paris, with another on what leaves the site at the other end."""
    prices = {"paris": millicents_per_gib, far: 5}
    fleet = Fleet().site("paris").site(far).link(far, "paris", **prices)
    fleet = fleet.pool("edge", "paris").pool("cloud", far, price_millicents_per_hour=10)
    made = one_service(fleet).cost(ceilings=ceilings).problem
    (service,) = made.policy.services
    (only,) = service.stages
    service = replace(service, stages=(replace(only, payload_bytes=payload_bytes, fanout=2),))
    return replace(made, policy=replace(made.policy, services=(service,)))


def dear(millicents_per_gib: int, *ceilings: Ceiling) -> Problem:
    """A quarter of that data, or 0.87890625 GiB an hour."""
    return far_away(millicents_per_gib, *ceilings, payload_bytes=128 * 1024)


STANDING = {("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}

EXAMPLES = (
    Example(
        name="the fleet may cost exactly its ceiling",
        problem=problem(Ceiling("", 40_000, at(81)), Ceiling("lyon", 30_000, at(82))),
        on_limit=plan({("rec@edge", "edge-0"): 2, ("rec@cloud", "cloud-0"): 2}, {"near": 1000}),
        over_limit=plan(
            {("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1, ("rec@cloud", "cloud-1"): 1}, {"near": 1000}
        ),
        violation=Violation("budget", "the fleet", 50_000, 40_000, at(81)),
        message="the powered nodes of the fleet and its links cost $0.50/h; the ceiling is $0.40/h",
        spared=(problem(), problem(Ceiling("", 50_000, at(81)))),
        domain=Domain(shares=(0,)),
    ),
    Example(
        name="a site's ceiling counts that site's nodes only",
        problem=problem(Ceiling("lyon", 19_999, at(82))),
        on_limit=plan({("rec@edge", "edge-0"): 2, ("rec@cloud", "cloud-0"): 2}, {"near": 1000}),
        over_limit=plan({("rec@cloud", "cloud-0"): 1, ("rec@cloud", "cloud-1"): 1}, {"far": 1000}),
        violation=Violation("budget", "lyon", 20_000, 19_999, at(82)),
        message="the powered nodes of lyon and its links cost $0.20/h; the ceiling is $0.19999/h",
        spared=(problem(), problem(Ceiling("lyon", 20_000, at(82))), problem(Ceiling("paris", 30_000, at(82)))),
        domain=Domain(shares=(0,)),
    ),
    Example(
        name="what leaves a site over a link counts to its ceiling, the nodes that it goes to do not",
        problem=far_away(1024, Ceiling("paris", 1800, at(81)), Ceiling("lyon", 10, at(82))),
        on_limit=plan(STANDING, {"near": 500, "far": 500}),
        over_limit=plan(STANDING, {"near": 499, "far": 501}),
        violation=Violation("budget", "paris", 1804, 1800, at(81)),
        message="the powered nodes of paris and its links cost $0.01804/h; the ceiling is $0.018/h",
        spared=(
            far_away(1024),
            far_away(1024, Ceiling("paris", 1804, at(81))),
            far_away(0, Ceiling("paris", 0, at(81))),
        ),
        domain=Domain(shares=(0, 250, 500, 501, 1000)),
    ),
    Example(
        name="to the byte: two of them at this price are 86 parts in 2^26 of a millicent more than one millicent",
        problem=far_away(149_131, Ceiling("paris", 1, at(81)), payload_bytes=1),
        on_limit=plan(STANDING, {"near": 500, "far": 500}),
        over_limit=plan(STANDING, {"near": 499, "far": 501}),
        violation=Violation("budget", "paris", 2, 1, at(81)),
        message="the powered nodes of paris and its links cost $0.00002/h; the ceiling is $0.00001/h",
        spared=(
            far_away(149_131, payload_bytes=1),
            far_away(149_130, Ceiling("paris", 1, at(81)), payload_bytes=1),
        ),
        domain=Domain(counts=(0, 1), shares=(0, 500, 501, 1000)),
    ),
    Example(
        name="nodes and links are paid out of one ceiling, and a part of a millicent is one",
        problem=far_away(1, Ceiling("", 13, at(81)), far="york"),
        on_limit=plan(STANDING, {"near": 250, "far": 750}),
        over_limit=plan(STANDING, {"near": 249, "far": 751}),
        violation=Violation("budget", "the fleet", 14, 13, at(81)),
        message="the powered nodes of the fleet and its links cost $0.00014/h; the ceiling is $0.00013/h",
        spared=(
            far_away(1),
            far_away(1, Ceiling("", 14, at(81)), far="york"),
            far_away(1, Ceiling("lyon", 10, at(81))),
        ),
        domain=Domain(shares=(0, 1, 750, 751, 1000)),
    ),
    Example(
        name="a path that costs more than is counted carries nothing, however high the ceiling",
        problem=dear(113_777_777_778, Ceiling("", 10**15, at(81)), Ceiling("lyon", 10, at(82))),
        on_limit=plan(STANDING, {"near": 1000}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("budget", "requests from paris", 10**11 + 1, 10**11, at(81), "a path"),
        message="requests from paris take a path that costs $1000000.00001/h with all of them; "
        "under a ceiling no path may cost more than $1000000.00/h",
        spared=(
            dear(113_777_777_778),
            dear(113_777_777_778, Ceiling("lyon", 10, at(82))),
            dear(113_777_777_777, Ceiling("", 10**15, at(81))),
        ),
        domain=Domain(counts=(1,), shares=(0, 1, 999, 1000)),
    ),
)
