"""Spares: 3 calls a second over instances of 1.5 in Paris and 2 in Lyon, and an option that the service cannot take.

In Paris all of the traffic takes two instances, in Lyon one and a half; half here and half there takes 1.75.
"""

from policy.resolved import AvailabilityObjective, Shed
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, plan, stage
from tests.rules.example import Domain, Example


def problem(spares: int, rate_milli_rps: int = 3000, *, paths: bool = True, others_milli_rps: int = 0) -> Problem:
    """`asr` promises nothing; it uses an option that `ocr` cannot, and one that it can."""
    fleet = Fleet().site("paris").site("lyon").pool("edge", "paris").pool("cloud", "lyon")
    fleet = fleet.option("rec@edge", "rec", "edge", capacity_milli_rps=1500)
    fleet = fleet.option("rec@cloud", "rec", "cloud", capacity_milli_rps=2000)
    fleet = fleet.option("other", "rec", "edge", variant="int8")
    objective = AvailabilityObjective(1, 1, at(14), spares)
    fleet = fleet.service("ocr", stage("read", "rec"), availability=objective, degrade=(Shed(100, at(15)),))
    fleet = fleet.demand("ocr", "paris", rate_milli_rps)
    if others_milli_rps:
        fleet = fleet.service("asr", stage("read", "rec")).demand("asr", "paris", others_milli_rps)
        fleet = fleet.path("beside", "asr@paris", "rec@cloud").path("elsewhere", "asr@paris", "other")
    if not paths:
        return fleet.problem
    return fleet.path("near", "ocr@paris", "rec@edge").path("far", "ocr@paris", "rec@cloud").problem


def apart(spares: int) -> Problem:
    """Requests of each site have an option to themselves, and a call a second takes a third of an instance."""
    fleet = Fleet().site("paris").site("lyon").pool("edge", "paris").pool("cloud", "lyon")
    objective = AvailabilityObjective(1, 1, at(14), spares)
    fleet = fleet.service("ocr", stage("read", "rec"), availability=objective)
    for origin, pool in (("paris", "edge"), ("lyon", "cloud")):
        fleet = fleet.option(f"rec@{origin}", "rec", pool, capacity_milli_rps=3000)
        fleet = fleet.demand("ocr", origin).path(origin, f"ocr@{origin}", f"rec@{origin}")
    return fleet.problem


def exact(spares: int) -> Problem:
    """A permille takes 1001 millionths of an instance, of a large one 1, of one that answers a little less 2."""
    fleet = Fleet().site("paris").pool("edge", "paris")
    fleet = fleet.service("ocr", stage("read", "rec"), availability=AvailabilityObjective(1, 1, at(14), spares))
    fleet = fleet.demand("ocr", "paris", 1001)
    for name, capacity_milli_rps in (("usual", 1000), ("large", 1_001_000), ("less", 1_000_999)):
        fleet = fleet.option(name, "rec", "edge", variant=name, capacity_milli_rps=capacity_milli_rps)
        fleet = fleet.path(f"on {name}", "ocr@paris", name)
    return fleet.problem


def shared(spares: int) -> Problem:
    """Two services fill an instance to the last call: 334 and 667 millionths of it for a permille of each."""
    fleet = Fleet().site("paris").pool("edge", "paris").option("rec@edge", "rec", "edge", capacity_milli_rps=3000)
    fleet = fleet.service("ocr", stage("read", "rec"), availability=AvailabilityObjective(1, 1, at(14), spares))
    fleet = fleet.service("asr", stage("read", "rec"))
    for service, rate_milli_rps in (("ocr", 1000), ("asr", 2000)):
        fleet = fleet.demand(service, "paris", rate_milli_rps).path(service, f"{service}@paris", "rec@edge")
    return fleet.problem


def standing(edge: int, cloud: int, near: int, level: int = 0) -> Plan:
    return plan(
        {("rec@edge", "edge-0"): edge, ("rec@cloud", "cloud-0"): cloud, ("other", "edge-0"): 1},
        {"near": near, "far": 1000 - near},
        {},
        {"ocr": level},
    )


EXAMPLES = (
    Example(
        name="one instance more than the load takes is a spare",
        problem=problem(1),
        on_limit=standing(3, 0, 1000),
        over_limit=standing(2, 0, 1000),
        violation=Violation("spares", "stage read of ocr@paris", 0, 1, at(14)),
        message="stage read of ocr@paris has 0 of 1 spare instance that the objective asks for",
        spared=(problem(0), problem(1, rate_milli_rps=0), problem(1, paths=False)),
        domain=Domain(counts=(0, 1, 3)),
    ),
    Example(
        name="instances of all options count together, and parts of them make no whole one",
        problem=problem(2),
        on_limit=standing(2, 2, 1000),
        over_limit=standing(2, 1, 500),
        violation=Violation("spares", "stage read of ocr@paris", 1, 2, at(14)),
        message="stage read of ocr@paris has 1 of 2 spare instances that the objective asks for",
        spared=(problem(1),),
        domain=Domain(counts=(0, 2)),
    ),
    Example(
        name="a service at best effort may use its spares",
        problem=problem(1),
        on_limit=standing(2, 0, 1000, level=2),
        over_limit=standing(2, 0, 1000, level=1),
        violation=Violation("spares", "stage read of ocr@paris", 0, 1, at(14)),
        message="stage read of ocr@paris has 0 of 1 spare instance that the objective asks for",
        spared=(problem(0),),
        domain=Domain(counts=(0, 2), shares=(0, 1000), levels=(0, 1, 2)),
        beside=("degrade",),
    ),
    Example(
        name="what others bring the same instances is load as well",
        problem=problem(1, others_milli_rps=1000),
        on_limit=plan({("rec@cloud", "cloud-0"): 3, ("other", "edge-0"): 1}, {"far": 1000, "beside": 1000}),
        over_limit=plan({("rec@cloud", "cloud-0"): 2, ("other", "edge-0"): 1}, {"far": 1000, "beside": 1000}),
        violation=Violation("spares", "stage read of ocr@paris", 0, 1, at(14)),
        message="stage read of ocr@paris has 0 of 1 spare instance that the objective asks for",
        spared=(problem(0, others_milli_rps=1000),),
        domain=Domain(counts=(0, 2, 3), shares=(0, 1000)),
    ),
    Example(
        name="load is counted to the millionth of an instance",
        problem=exact(1),
        on_limit=plan({("usual", "edge-0"): 1, ("large", "edge-0"): 1}, {"on usual": 999, "on large": 1}),
        over_limit=plan({("usual", "edge-0"): 1, ("less", "edge-0"): 1}, {"on usual": 999, "on less": 1}),
        violation=Violation("spares", "stage read of ocr@paris", 0, 1, at(14)),
        message="stage read of ocr@paris has 0 of 1 spare instance that the objective asks for",
        spared=(exact(0),),
        domain=Domain(counts=(0, 1), shares=(0, 1, 999)),
    ),
    Example(
        name="fewer than none are none",
        problem=shared(1),
        on_limit=plan({("rec@edge", "edge-0"): 3}, {"ocr": 1000, "asr": 1000}),
        over_limit=plan({("rec@edge", "edge-0"): 1}, {"ocr": 1000, "asr": 1000}),
        violation=Violation("spares", "stage read of ocr@paris", 0, 1, at(14)),
        message="stage read of ocr@paris has 0 of 1 spare instance that the objective asks for",
        spared=(shared(0),),
    ),
    Example(
        name="requests of each origin have spares of their own where they may not take others",
        problem=apart(1),
        on_limit=plan({("rec@paris", "edge-0"): 2, ("rec@lyon", "cloud-0"): 2}, {"paris": 1000, "lyon": 1000}),
        over_limit=plan({("rec@paris", "edge-0"): 3, ("rec@lyon", "cloud-0"): 1}, {"paris": 1000, "lyon": 1000}),
        violation=Violation("spares", "stage read of ocr@lyon", 0, 1, at(14)),
        message="stage read of ocr@lyon has 0 of 1 spare instance that the objective asks for",
        spared=(apart(0),),
        domain=Domain(counts=(0, 1, 2), shares=(0, 1000)),
    ),
)
