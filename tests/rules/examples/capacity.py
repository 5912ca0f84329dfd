"""Capacity: a request a second, calling the option once for `read` and twice for `check`: 3 calls a second.

An instance may be given 1.5 calls a second: half of the demand, or two instances for all of it.
"""

from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import at, plan, stage, two_places, two_sites
from tests.rules.example import Domain, Example


def problem(capacity_milli_rps: int) -> Problem:
    fleet = two_places().service("ocr", stage("read", "rec"), stage("check", "rec", fanout=2))
    fleet = fleet.demand("ocr", "paris", rate_milli_rps=1000)
    fleet = fleet.option("rec@edge", "rec", "edge", capacity_milli_rps=capacity_milli_rps)
    fleet = fleet.option("rec@cloud", "rec", "cloud", capacity_milli_rps=3000)
    fleet = fleet.path("near", "ocr@paris", "rec@edge", "rec@edge")
    return fleet.path("far", "ocr@paris", "rec@cloud", "rec@cloud").problem


EXAMPLES = (
    Example(
        name="half of the traffic is exactly what one instance may be given",
        problem=problem(1500),
        on_limit=plan({("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}, {"near": 500, "far": 500}),
        over_limit=plan({("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}, {"near": 501, "far": 499}),
        violation=Violation("capacity", "rec@edge", 1_503_000, 1_500_000, at(31)),
        message="rec@edge would get 1.503 calls/s; its instances may be given 1.5 calls/s",
        spared=(problem(1503), two_places().problem),
    ),
    Example(
        name="two instances may be given exactly all of the traffic",
        problem=problem(1500),
        on_limit=plan({("rec@edge", "edge-0"): 2}, {"near": 1000}),
        over_limit=plan({("rec@edge", "edge-0"): 1}, {"near": 1000}),
        violation=Violation("capacity", "rec@edge", 3_000_000, 1_500_000, at(31)),
        message="rec@edge would get 3 calls/s; its instances may be given 1.5 calls/s",
        spared=(problem(3000),),
    ),
    Example(
        name="the least traffic needs an instance",
        problem=two_sites(rate_milli_rps=1).problem,
        on_limit=plan({("rec@cloud", "cloud-0"): 1}, {"far": 1000}),
        over_limit=plan({("rec@cloud", "cloud-0"): 1}, {"far": 999, "near": 1}),
        violation=Violation("capacity", "rec@edge", 1, 0, at(31)),
        message="rec@edge would get 0.000001 calls/s; its instances may be given 0 calls/s",
        spared=(two_sites(rate_milli_rps=0).problem,),
        domain=Domain(shares=(0, 1, 1000), counts=(0, 1)),
    ),
    Example(
        name="an instance may be given what it can answer, and nothing more",
        problem=problem(1499),
        on_limit=plan({("rec@cloud", "cloud-0"): 1}, {"far": 1000}),
        over_limit=plan({("rec@edge", "edge-0"): 2}, {"near": 1000}),
        violation=Violation("capacity", "rec@edge", 3_000_000, 2_998_000, at(31)),
        message="rec@edge would get 3 calls/s; its instances may be given 2.998 calls/s",
        spared=(problem(1500),),
        domain=Domain(counts=(0, 1)),
    ),
)
