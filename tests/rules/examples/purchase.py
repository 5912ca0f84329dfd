"""Purchase: card data is kept from preemptible nodes; the pool `edge` is owned, and `cloud` is bought as spot."""

from policy.clauses import PurchaseClause, Scope
from policy.resolved import Purchase
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, one_service, plan
from tests.rules.example import Domain, Example

AT_EDGE = {("rec@edge", "edge-0"): 1}
STANDING = {**AT_EDGE, ("rec@cloud", "cloud-0"): 1}
SUBJECT = "stage read of ocr@paris on rec@cloud"
CARDS = Scope(classes=("card",))
STEADY = PurchaseClause((Purchase.ON_DEMAND, Purchase.OWNED), at(55))


def fleet(bought: Purchase = Purchase.SPOT, scope: Scope = CARDS, clause: PurchaseClause | None = STEADY) -> Fleet:
    places = Fleet().site("paris", "FR", "EU").site("lyon", "FR", "EU").link("lyon", "paris")
    places = places.pool("edge", "paris", line=31).pool("cloud", "lyon", line=32, purchase=bought)
    return one_service(places).profile("card", scope=scope, purchase=clause)


def example(name: str, bought: Purchase) -> Example:
    return Example(
        name=name,
        problem=fleet(bought).problem,
        on_limit=plan(AT_EDGE, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("purchase", SUBJECT, 1, 0, at(55), bought.value),
        message=f"{SUBJECT}: the pool is bought as {bought}, which is not among the ways asked for",
        spared=(
            fleet(Purchase.ON_DEMAND).problem,
            fleet(Purchase.OWNED).problem,
            fleet(bought, Scope(stages=("write",))).problem,
            fleet(bought, clause=PurchaseClause((bought, Purchase.OWNED), at(55))).problem,
        ),
        reasons=(f"cloud is bought as {bought}; on-demand, owned is asked",),
        domain=Domain(counts=(1,)),
    )


EXAMPLES = (
    example("nodes that may be taken away are not among those asked for", Purchase.SPOT),
    example("neither are reserved ones, unless they are named", Purchase.RESERVED),
)
