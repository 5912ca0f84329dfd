"""Maintenance: plans are needed from second 1000 until 2000; somebody works on `cloud`, or at its site in Lyon."""

from dataclasses import replace

from policy.resolved import Maintenance
from policy.windows import Window
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import at, plan, two_sites
from tests.rules.example import Domain, Example

STANDING = {("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}
SUBJECT = "stage read of ocr@paris on rec@cloud"
POOL, SITE = (("york",), ("cloud",)), (("lyon",), ("attic",))
ELSEWHERE = (("york",), ("attic",))


Where = tuple[tuple[str, ...], tuple[str, ...]]


def problem(where: Where, window: Window | None) -> Problem:
    made = two_sites().problem
    works = () if window is None else (Maintenance("new-disks", *where, window, at(70)),)
    return replace(made, policy=replace(made.policy, maintenance=works))


def example(
    name: str, where: tuple[tuple[str, ...], tuple[str, ...]], window: Window, start: str, first_s: int
) -> Example:
    return Example(
        name=name,
        problem=problem(where, window),
        on_limit=plan(STANDING, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("maintenance", SUBJECT, first_s, 2000, at(70), "new-disks"),
        message=(
            f"{SUBJECT}: new-disks begins at 1970-01-01T00:{first_s // 60:02}:{first_s % 60:02}Z; nobody may be served "
            "there before 1970-01-01T00:33:20Z"
        ),
        spared=(
            problem(POOL, None),
            problem(ELSEWHERE, window),
            problem(where, Window(0, 1000)),
            problem(where, Window(2000, 2001)),
            problem(where, Window(2500, 2600)),
            problem(where, Window(500, 501, 1500)),
            problem(where, Window(499, 500, 1501)),
        ),
        reasons=(f"cloud is under maintenance from 1970-01-01T00:{start}Z on: new-disks",),
        domain=Domain(counts=(1,)),
    )


EXAMPLES = (
    example("a window that begins in the last second", POOL, Window(1999, 2500), "33:19", 1999),
    example("one that ends in the first second", SITE, Window(1, 1001), "00:01", 1000),
    example("one that comes again in the last second", SITE, Window(499, 500, 1500), "33:19", 1999),
    example("one that was there before and is not over", POOL, Window(100, 201, 800), "28:20", 1000),
)
