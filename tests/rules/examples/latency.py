"""Latency: objectives of 400 ms; a path of exactly 400 ms, and one of a microsecond more."""

from policy.resolved import LatencyObjective
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import at, plan, stage, two_places
from tests.rules.example import Domain, Example

P99 = LatencyObjective(9900, 400_000, 300, at(11))
P999 = LatencyObjective(9990, 600_000, 300, at(12))
NEAR = LatencyObjective(9900, 400_000, 300, at(13), "paris")
READ = LatencyObjective(9900, 300_000, 300, at(15), stage="read")
ELSEWHERE = LatencyObjective(9900, 1, 300, at(14), "lyon")
STANDING = {("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}


def problem(far_us: tuple[tuple[int, int], ...], *objectives: LatencyObjective, read_us: int = 300_000) -> Problem:
    fleet = two_places().service("ocr", stage("read", "rec"), latency=objectives).demand("ocr", "paris")
    fleet = fleet.option("rec@edge", "rec", "edge").option("rec@cloud", "rec", "cloud")
    near_us = ((5000, 1), (9900, 400_000), (9990, 599_999))
    fleet = fleet.path("near", "ocr@paris", "rec@edge", latency_us=near_us, read=((9900, 300_000),))
    return fleet.path("far", "ocr@paris", "rec@cloud", latency_us=far_us, read=((9900, read_us),)).problem


EXAMPLES = (
    Example(
        name="a path may take exactly as long as the objective says",
        problem=problem(((5000, 1), (9900, 400_001), (9990, 600_000)), P99, P999),
        on_limit=plan(STANDING, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("latency", "far", 400_001, 400_000, at(11), "p99"),
        message="p99 of path far is predicted at 400.001 ms; the objective is 400 ms",
        spared=(problem(((9900, 400_001),)), problem(((9900, 400_000),), P99)),
        reasons=("p99 is predicted at 400.001 ms; the objective is 400 ms",),
        domain=Domain(counts=(1,)),
    ),
    Example(
        name="an objective may be meant for one origin, and others have their own",
        problem=problem(((9900, 400_001),), NEAR, ELSEWHERE),
        on_limit=plan(STANDING, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("latency", "far", 400_001, 400_000, at(13), "p99"),
        message="p99 of path far is predicted at 400.001 ms; the objective is 400 ms",
        spared=(problem(((9900, 400_001),), ELSEWHERE),),
        reasons=("p99 is predicted at 400.001 ms; the objective is 400 ms",),
        domain=Domain(counts=(1,)),
    ),
    Example(
        name="an objective may be meant for one stage",
        problem=problem(((9900, 1),), READ, P99, read_us=300_001),
        on_limit=plan(STANDING, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("latency", "far", 300_001, 300_000, at(15), "p99 of stage read"),
        message="p99 of stage read of path far is predicted at 300.001 ms; the objective is 300 ms",
        spared=(problem(((9900, 400_000),), READ, P99), problem(((9900, 1),), P99, read_us=300_001)),
        reasons=("p99 of stage read is predicted at 300.001 ms; the objective is 300 ms",),
        domain=Domain(counts=(1,)),
    ),
    Example(
        name="a percentile between two predictions is judged by the higher one",
        problem=problem(((5000, 1), (9990, 400_001), (9999, 700_000)), P99),
        on_limit=plan(STANDING, {"near": 1000}),
        over_limit=plan(STANDING, {"far": 1000}),
        violation=Violation("latency", "far", 400_001, 400_000, at(11), "p99"),
        message="p99 of path far is predicted at 400.001 ms; the objective is 400 ms",
        spared=(problem(((5000, 1), (9990, 400_000), (9999, 700_000)), P99),),
        reasons=("p99 is predicted at 400.001 ms; the objective is 400 ms",),
        domain=Domain(counts=(1,)),
    ),
    Example(
        name="a percentile above all predictions is judged by the highest",
        problem=problem(((5000, 1), (9500, 2), (9900, 600_001)), P999),
        on_limit=plan(STANDING, {"near": 1000}),
        over_limit=plan(STANDING, {"far": 1000}),
        violation=Violation("latency", "far", 600_001, 600_000, at(12), "p99.9"),
        message="p99.9 of path far is predicted at 600.001 ms; the objective is 600 ms",
        spared=(problem(((5000, 1), (9500, 2), (9900, 600_000)), P999),),
        reasons=("p99.9 is predicted at 600.001 ms; the objective is 600 ms",),
        domain=Domain(counts=(1,)),
    ),
)
