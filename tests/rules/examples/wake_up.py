"""Wake-up: of 20 s, 5 pass until the next look, 1 with deciding and 1 with each of two waves: 12 are left for loading.

`det` loads for 5 s and `rec` for 7: 12 in one pool, one after the other, and 7 where each has a pool of its own.
"""

from policy.resolved import AvailabilityObjective, ScaleToZero
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, plan, stage
from tests.rules.example import Domain, Example

NEAR = {("det@edge", "edge-0"): 1, ("rec@edge", "edge-0"): 1}
BOTH = NEAR | {("rec@cloud", "cloud-0"): 1}


def problem(
    wake_up_us: int = 20_000_000, far_us: int = 12_000_001, spares: int = 0, *, is_asked: bool = True
) -> Problem:
    """Two stages in one pool, or the second in another."""
    places = Fleet().site("paris", "FR").pool("edge", "paris").pool("cloud", "paris")
    asked = {
        "scale_to_zero": ScaleToZero(600, wake_up_us, at(11)),
        "availability": AvailabilityObjective(1, 1, at(12), spares),
    }
    made = places.service("ocr", stage("find", "det"), stage("read", "rec"), **(asked if is_asked else {}))
    made = made.demand("ocr", "paris", 1)
    made = made.option("det@edge", "det", "edge", load_us=5_000_000).option(
        "rec@edge", "rec", "edge", load_us=7_000_000
    )
    made = made.option("rec@cloud", "rec", "cloud", load_us=far_us)
    made = made.path("near", "ocr@paris", "det@edge", "rec@edge")
    return made.path("far", "ocr@paris", "det@edge", "rec@cloud").problem


def twice(load_us: int) -> Problem:
    """Both stages by the same option, which loads once; or the second by one of its own."""
    made = Fleet().site("paris", "FR").pool("edge", "paris")
    clause = ScaleToZero(600, 20_000_000, at(11))
    made = made.service("ocr", stage("find", "det"), stage("again", "det"), scale_to_zero=clause).demand("ocr", "paris")
    made = made.option("det@edge", "det", "edge", load_us=12_000_000)
    made = made.option("light@edge", "det", "edge", "int8", load_us=load_us)
    made = made.path("same", "ocr@paris", "det@edge", "det@edge")
    return made.path("both", "ocr@paris", "det@edge", "light@edge").problem


EXAMPLES = (
    Example(
        name="what stands in one pool loads one after the other, and pools load side by side",
        problem=problem(),
        on_limit=plan(BOTH, {"near": 1000, "far": 0}),
        over_limit=plan(BOTH, {"near": 999, "far": 1}),
        violation=Violation("wake_up", "far", 12_000_001, 12_000_000, at(11)),
        message="path far: it loads for 12.000001 s; `wakeUp` leaves 12 s for that",
        spared=(problem(far_us=12_000_000), problem(20_000_001), problem(is_asked=False)),
        reasons=("it loads for 12.000001 s; `wakeUp` leaves 12 s for that",),
        domain=Domain(counts=(1,)),
    ),
    Example(
        name="instances to spare load, too",
        problem=problem(32_000_000, 12_000_001, spares=1),
        on_limit=plan(NEAR | {("det@edge", "edge-0"): 2, ("rec@edge", "edge-0"): 2}, {"near": 1000}),
        over_limit=plan(BOTH | {("det@edge", "edge-0"): 2, ("rec@edge", "edge-0"): 2}, {"near": 999, "far": 1}),
        violation=Violation("wake_up", "far", 24_000_002, 24_000_000, at(11)),
        message="path far: it loads for 24.000002 s; `wakeUp` leaves 24 s for that",
        spared=(problem(32_000_000, 12_000_000, spares=1), problem(32_000_000)),
        reasons=("it loads for 24.000002 s; `wakeUp` leaves 24 s for that",),
        domain=Domain(counts=(2,)),
    ),
    Example(
        name="an option that serves two stages loads once",
        problem=twice(1),
        on_limit=plan({("det@edge", "edge-0"): 1, ("light@edge", "edge-0"): 1}, {"same": 1000, "both": 0}),
        over_limit=plan({("det@edge", "edge-0"): 1, ("light@edge", "edge-0"): 1}, {"same": 999, "both": 1}),
        violation=Violation("wake_up", "both", 12_000_001, 12_000_000, at(11)),
        message="path both: it loads for 12.000001 s; `wakeUp` leaves 12 s for that",
        spared=(twice(0),),
        reasons=("it loads for 12.000001 s; `wakeUp` leaves 12 s for that",),
        domain=Domain(counts=(1,)),
    ),
    Example(
        name="a wake-up that is over before anything loads leaves nothing for it",
        problem=problem(7_999_999, 0),
        on_limit=plan(BOTH, {"near": 0, "far": 0}, {"ocr@paris": 1000}, {"ocr": 1}),
        over_limit=plan(BOTH, {"far": 1}, {"ocr@paris": 999}, {"ocr": 1}),
        violation=Violation("wake_up", "far", 5_000_000, -1, at(11)),
        message="path far: it loads for 5 s; `wakeUp` leaves 0 s for that",
        spared=(problem(is_asked=False),),
        reasons=(
            "it loads for 12 s; `wakeUp` leaves 0 s for that",
            "it loads for 5 s; `wakeUp` leaves 0 s for that",
        ),
        domain=Domain(counts=(1,)),
    ),
)
