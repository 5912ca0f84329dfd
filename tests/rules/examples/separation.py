"""Separation: what handles card data is apart from others; `edge` is dedicated to card data, `cloud` to nothing."""

from dataclasses import replace

from policy.clauses import Scope, SeparationClause
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import at, one_service, plan, stage, two_places
from tests.rules.example import Domain, Example

AT_EDGE = {("rec@edge", "edge-0"): 1}
STANDING = {**AT_EDGE, ("rec@cloud", "cloud-0"): 1}
SUBJECT = "stage read of ocr@paris on rec@cloud"
SHOW = stage("show", "rec")
CARDS = Scope(classes=("card",))
ADS = Scope(services=("ads",))


def problem(others: Scope | None, cloud: Scope | None = None, covered: Scope = CARDS) -> Problem:
    """`ads` and `maps` are two more services without data, `till` is one of card data; nobody asks for them."""
    fleet = one_service(two_places()).service("ads", SHOW).service("maps", SHOW)
    fleet = fleet.service("till", SHOW, data_classes=("card",))
    clause = None if others is None else SeparationClause(others, at(55))
    made = fleet.profile("card", scope=covered, separation=clause).problem
    pools = tuple(replace(pool, dedicated_to=CARDS if pool.name == "edge" else cloud) for pool in made.policy.pools)
    return replace(made, policy=replace(made.policy, pools=pools))


def example(name: str, asked: Problem, near: tuple[str, ...], spared: tuple[Problem, ...]) -> Example:
    message = (
        f"{SUBJECT}: services that may use the same nodes and must not: {len(near)}, such as {near[0]}; allowed: 0"
    )
    return Example(
        name=name,
        problem=asked,
        on_limit=plan(AT_EDGE, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("separation", SUBJECT, len(near), 0, at(55), near[0]),
        message=message,
        spared=(problem(None), *spared),
        reasons=(f"cloud may be used by {near[0]}, too",),
        domain=Domain(counts=(1,)),
    )


EXAMPLES = (
    example(
        "a pool for all is no place apart from all others",
        problem(Scope()),
        ("ads", "maps"),
        (
            problem(Scope(), CARDS),
            problem(Scope(classes=("card",))),
            problem(Scope(), covered=Scope(stages=("write",))),
        ),
    ),
    example(
        "one dedicated to another service is none, either",
        problem(Scope(), Scope(services=("maps", "ocr"))),
        ("maps",),
        (problem(ADS, Scope(services=("maps", "ocr"))), problem(Scope(), Scope(services=("ocr", "till")))),
    ),
    example(
        "one may be apart from some alone",
        problem(ADS),
        ("ads",),
        (problem(ADS, Scope(services=("maps", "ocr"))), problem(Scope(services=("till",)))),
    ),
)
