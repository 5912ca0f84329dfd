"""Locality: card data is handled in Paris, where it comes from; pool `cloud` is in Lyon."""

from policy.clauses import LocalityClause, Scope
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, one_service, plan, two_sites
from tests.rules.example import Domain, Example

AT_EDGE = {("rec@edge", "edge-0"): 1}
STANDING = {**AT_EDGE, ("rec@cloud", "cloud-0"): 1}
SUBJECT = "stage read of ocr@paris on rec@cloud"
STAYS = LocalityClause(at(55))


EVERYTHING = Scope()


def fleet(scope: Scope = EVERYTHING, clause: LocalityClause | None = STAYS) -> Fleet:
    return two_sites().profile("card", scope=scope, locality=clause)


def abroad() -> Fleet:
    places = Fleet().site("paris", "FR").site("york", "UK").link("york", "paris")
    places = places.pool("edge", "paris").pool("cloud", "york")
    return one_service(places).profile("card", locality=STAYS)


EXAMPLES = (
    Example(
        name="a covered stage makes no hop",
        problem=fleet().problem,
        on_limit=plan(AT_EDGE, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("locality", SUBJECT, 1, 0, at(55)),
        message=f"{SUBJECT}: the stage is a hop away from its origin, and must run there",
        spared=(fleet(clause=None).problem, fleet(Scope(stages=("write",))).problem),
        reasons=("lyon is not paris, where the data has to stay",),
        domain=Domain(counts=(1,)),
    ),
    Example(
        name="wherever it would go",
        problem=abroad().problem,
        on_limit=plan(AT_EDGE, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("locality", SUBJECT, 1, 0, at(55)),
        message=f"{SUBJECT}: the stage is a hop away from its origin, and must run there",
        spared=(fleet(clause=None).problem,),
        reasons=("york is not paris, where the data has to stay",),
        domain=Domain(counts=(1,)),
    ),
)
