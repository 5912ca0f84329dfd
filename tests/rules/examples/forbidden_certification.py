"""Forbidden certification: it is second 1000, placements are needed until 2000, and card data is kept from `exposed`.

In each case the pool `edge` is just not, or not in a version that is meant, and `cloud` just is.
"""

from policy.clauses import Comparison, ForbiddenClause, Scope, Standard, VersionBound
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, plan, two_sites
from tests.rules.example import Domain, Example

AT_EDGE = {("rec@edge", "edge-0"): 1}
STANDING = {**AT_EDGE, ("rec@cloud", "cloud-0"): 1}
SUBJECT = "stage read of ocr@paris on rec@cloud"
FROM_2 = (VersionBound(Comparison.AT_LEAST, (2,)),)
NEEDED = "1970-01-01T00:33:20Z"


def fleet(scope: Scope = Scope(classes=("card",))) -> Fleet:  # noqa: B008 - frozen
    return two_sites().profile("card", scope=scope, forbidden=(ForbiddenClause(Standard("exposed", FROM_2), at(54)),))


def example(name: str, holding: Fleet, from_s: int, from_text: str) -> Example:
    """A case in which `cloud` holds the standard from a second on, given also in words."""
    return Example(
        name=name,
        problem=holding.problem,
        on_limit=plan(AT_EDGE, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("forbidden_certification", SUBJECT, from_s, 2000, at(54), "exposed >=2"),
        message=f"{SUBJECT}: exposed >=2 is held from {from_text} on; it must not be held before {NEEDED}",
        spared=(
            two_sites().problem,
            fleet().problem,
            fleet(Scope(classes=("voice",))).held("site", "lyon", (2,), 0, 3000, standard="exposed").problem,
            fleet(Scope(services=("asr",))).held("site", "lyon", (2,), 0, 3000, standard="exposed").problem,
            fleet(Scope(stages=("write",))).held("site", "lyon", (2,), 0, 3000, standard="exposed").problem,
        ),
        reasons=("cloud holds exposed >=2, which must not be held",),
        domain=Domain(counts=(1,)),
    )


EXAMPLES = (
    example(
        "what is forbidden may have ended now, or begin when the plan is no longer needed",
        fleet()
        .held("site", "paris", (2,), 0, 1000, standard="exposed")
        .held("site", "paris", (2,), 0, 500, standard="exposed")
        .held("pool", "edge", (2,), 2000, 3000, standard="exposed")
        .held("pool", "edge", (2,), 1500, 1500, standard="exposed")
        .held("site", "lyon", (2,), 0, 1001, standard="exposed"),
        1000,
        "1970-01-01T00:16:40Z",
    ),
    example(
        "it may not begin a second before, nor in another version that is meant",
        fleet()
        .held("site", "paris", (1, 9), 0, 3000, standard="exposed")
        .held("site", "paris", (2,), 0, 3000, standard="certified")
        .held("pool", "edge", (2,), 2001, 3000, standard="exposed")
        .held("pool", "cloud", (3, 1), 2500, 3000, standard="exposed")
        .held("pool", "cloud", (2, 0, 1), 1999, 3000, standard="exposed"),
        1999,
        "1970-01-01T00:33:19Z",
    ),
    example(
        "a profile for one stage forbids it there",
        fleet(Scope(services=("ocr",), stages=("read",))).held("site", "lyon", (2,), 1500, 3000, standard="exposed"),
        1500,
        "1970-01-01T00:25:00Z",
    ),
)
