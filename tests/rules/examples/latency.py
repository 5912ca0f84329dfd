"""Latency: objectives of 400 ms; a path of exactly 400 ms, and one of a microsecond more."""

from dataclasses import replace

from policy.resolved import LatencyObjective
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import at, plan, stage, two_places
from tests.rules.example import Domain, Example

P99 = LatencyObjective(9900, 400_000, 300, at(11))
P999 = LatencyObjective(9990, 600_000, 300, at(12))
NEAR = LatencyObjective(9900, 400_000, 300, at(13), "paris")
READ = LatencyObjective(9900, 300_000, 300, at(15), stage="read")
FIRST = LatencyObjective(9900, 100_000, 300, at(16), of_first=True)
FIRST_READ = LatencyObjective(9900, 90_000, 300, at(17), stage="read", of_first=True)
ELSEWHERE = LatencyObjective(9900, 1, 300, at(14), "lyon")
STANDING = {("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}


def problem(
    far_us: tuple[tuple[int, int], ...],
    *objectives: LatencyObjective,
    read_us: int = 300_000,
    begun_us: tuple[int, int] = (100_000, 90_000),
) -> Problem:
    """Path `near` is on every limit; `begun_us` is until the response of `far` begins, of the path and of its stage."""
    fleet = two_places().service("ocr", stage("read", "rec"), latency=objectives).demand("ocr", "paris")
    fleet = fleet.option("rec@edge", "rec", "edge").option("rec@cloud", "rec", "cloud")
    near_us = ((5000, 1), (9900, 400_000), (9990, 599_999))
    fleet = fleet.path("near", "ocr@paris", "rec@edge", latency_us=near_us, read=((9900, 300_000),))
    found = fleet.path("far", "ocr@paris", "rec@cloud", latency_us=far_us, read=((9900, read_us),)).problem
    paths = []
    for path, (whole_us, stage_us) in zip(found.paths, ((100_000, 90_000), begun_us), strict=True):
        first_us = (("", ((5000, 1), (9900, whole_us))), ("read", ((9900, stage_us),)))
        paths.append(path._replace(first_us=first_us))
    return replace(found, paths=tuple(paths))


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
        name="an objective may be meant for the first response",
        problem=problem(((9900, 400_000),), P99, FIRST, FIRST_READ, begun_us=(100_001, 90_000)),
        on_limit=plan(STANDING, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("latency", "far", 100_001, 100_000, at(16), "p99 of the first response"),
        message="p99 of the first response of path far is predicted at 100.001 ms; the objective is 100 ms",
        spared=(
            problem(((9900, 400_000),), P99, FIRST, FIRST_READ),
            problem(((9900, 400_000),), P99, begun_us=(100_001, 90_001)),
        ),
        reasons=("p99 of the first response is predicted at 100.001 ms; the objective is 100 ms",),
        domain=Domain(counts=(1,)),
    ),
    Example(
        name="and for that of one stage",
        problem=problem(((9900, 400_000),), P99, FIRST, FIRST_READ, begun_us=(100_000, 90_001)),
        on_limit=plan(STANDING, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("latency", "far", 90_001, 90_000, at(17), "p99 of the first response of stage read"),
        message="p99 of the first response of stage read of path far is predicted at 90.001 ms; the objective is 90 ms",
        spared=(problem(((9900, 400_000),), P99, FIRST, begun_us=(100_000, 90_001)),),
        reasons=("p99 of the first response of stage read is predicted at 90.001 ms; the objective is 90 ms",),
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
