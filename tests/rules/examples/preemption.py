"""Preemption: what `ocr` has is its first step, at which 200 permille may go unserved, of which 100 do."""

from dataclasses import replace

from policy.resolved import Shed
from rules.kernel.problem import Assured, Problem
from rules.kernel.rule import Violation
from tests.rules.build import at, one_service, plan, two_places
from tests.rules.example import Domain, Example

STANDING = {("rec@edge", "edge-0"): 1}


def problem(*assured: Assured) -> Problem:
    fleet = one_service(two_places(), degrade=(Shed(200, at(15)), Shed(300, at(16))))
    return replace(fleet.problem, assured=assured)


def assures(level: int, permille: int) -> Problem:
    return problem(Assured("ocr", level, (("ocr@paris", permille),)))


EXAMPLES = (
    Example(
        name="as much as a service is assured of may go unserved",
        problem=assures(1, 100),
        on_limit=plan(STANDING, {"near": 900}, {"ocr@paris": 100}, {"ocr": 1}),
        over_limit=plan(STANDING, {"near": 899}, {"ocr@paris": 101}, {"ocr": 1}),
        violation=Violation("preemption", "ocr@paris", 101, 100, at(10), "unserved"),
        message="10.1 % of ocr@paris would go unserved instead of 10 %, for a service that does not preempt",
        spared=(problem(), assures(1, 101)),
        beside=("degrade",),
        domain=Domain(counts=(1,), shares=(0, 899, 900), refused=(0, 100, 101), levels=(0, 1, 2, 3)),
    ),
    Example(
        name="a service may be at the level that it is assured of, not higher",
        problem=assures(1, 200),
        on_limit=plan(STANDING, {"near": 800}, {"ocr@paris": 200}, {"ocr": 1}),
        over_limit=plan(STANDING, {"near": 800}, {"ocr@paris": 200}, {"ocr": 2}),
        violation=Violation("preemption", "ocr", 2, 1, at(10), "level"),
        message="ocr would be at degrade level 2 instead of 1, for a service that does not preempt",
        spared=(problem(), assures(2, 200)),
        beside=("degrade",),
        domain=Domain(counts=(1,), shares=(0, 800), refused=(0, 200), levels=(0, 1, 2, 3)),
    ),
    Example(
        name="a service that is assured of no step takes none",
        problem=assures(0, 0),
        on_limit=plan(STANDING, {"near": 1000}),
        over_limit=plan(STANDING, {"near": 1000}, {}, {"ocr": 1}),
        violation=Violation("preemption", "ocr", 1, 0, at(10), "level"),
        message="ocr would be at degrade level 1 instead of 0, for a service that does not preempt",
        spared=(problem(), assures(1, 0)),
        beside=("degrade",),
        domain=Domain(counts=(1,), shares=(0, 1000), refused=(0, 1), levels=(0, 1, 2, 3)),
    ),
)
