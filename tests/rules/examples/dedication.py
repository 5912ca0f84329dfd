"""Dedication: the pool `cloud` is kept for the service `ads`, or for the team of `ocr`."""

from dataclasses import replace

from policy.clauses import Scope
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import at, plan, two_sites
from tests.rules.example import Domain, Example

AT_EDGE = {("rec@edge", "edge-0"): 1}
STANDING = {**AT_EDGE, ("rec@cloud", "cloud-0"): 1}
SUBJECT = "stage read of ocr@paris on rec@cloud"


def problem(scope: Scope | None) -> Problem:
    made = two_sites(labels=(("team", "till"),)).problem
    pools = tuple(
        replace(pool, dedicated_to=scope if pool.name == "cloud" else Scope(services=("ocr",)) if scope else None)
        for pool in made.policy.pools
    )
    return replace(made, policy=replace(made.policy, pools=pools))


def example(name: str, scope: Scope) -> Example:
    return Example(
        name=name,
        problem=problem(scope),
        on_limit=plan(AT_EDGE, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("dedication", SUBJECT, 1, 0, at(32), "cloud"),
        message=f"{SUBJECT}: cloud is dedicated to other services",
        spared=(problem(None), problem(Scope()), problem(Scope(labels=(("team", "till"),)))),
        reasons=("cloud is dedicated to other services",),
        domain=Domain(counts=(1,)),
    )


EXAMPLES = (
    example("a pool for one service runs no other", Scope(services=("ads",))),
    example("nor one for a team", Scope(labels=(("team", "ads"),))),
    example("nor one for a kind of data", Scope(classes=("voice",))),
)
