"""Locality: card data is handled in Paris, where it comes from; pool `cloud` is in Lyon."""

from policy.clauses import LocalityClause, Scope
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, plan, two_sites
from tests.rules.example import Domain, Example

STANDING = {("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}
SUBJECT = "stage read of ocr@paris on rec@cloud"
STAYS = LocalityClause(at(55))


EVERYTHING = Scope()


def fleet(scope: Scope = EVERYTHING, clause: LocalityClause | None = STAYS) -> Fleet:
    return two_sites().profile("card", scope=scope, locality=clause)


EXAMPLES = (
    Example(
        name="a covered stage makes no hop",
        problem=fleet().problem,
        on_limit=plan(STANDING, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("locality", SUBJECT, 1, 0, at(55)),
        message=f"{SUBJECT}: the stage is a hop away from its origin, and must run there",
        spared=(fleet(clause=None).problem, fleet(Scope(stages=("write",))).problem),
        reasons=("lyon is not paris, where the data has to stay",),
        domain=Domain(counts=(1,)),
    ),
)
