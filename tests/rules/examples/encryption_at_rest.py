"""Encryption at rest: it is second 1000, placements are needed until 2000, and card data stays on encrypted storage.

In each case somebody vouches for the pool `edge` just long enough, and for `cloud` a second short or not in full.
"""

from policy.clauses import WARNING, Scope, StorageClause
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, one_service, plan, two_sites
from tests.rules.example import Domain, Example

AT_EDGE = {("rec@edge", "edge-0"): 1}
STANDING = {**AT_EDGE, ("rec@cloud", "cloud-0"): 1}
SUBJECT = "stage read of ocr@paris on rec@cloud"
NEEDED = "1970-01-01T00:33:20Z"
CARDS = Scope(classes=("card",))
CLAUSE = StorageClause(at(58))
STANDARD = "encryption-at-rest"
OPAQUE = ("hardware", "storage-opaque")


def fleet(clause: StorageClause | None = CLAUSE, scope: Scope = CARDS) -> Fleet:
    return two_sites().profile("card", scope=scope, storage=clause)


def wide() -> Fleet:
    """The same with two nodes in each pool."""
    places = Fleet().site("paris", "FR", "EU").site("lyon", "FR", "EU").link("lyon", "paris")
    places = places.pool("edge", "paris", nodes=2, line=31).pool("cloud", "lyon", nodes=2, line=32)
    return one_service(places).profile("card", storage=CLAUSE)


def example(name: str, vouched: Fleet, end_s: int, end_text: str) -> Example:
    """A case in which what `cloud` has ends at a second, given also in words; 0 where it never counts."""
    held = f"holds until {end_text}" if end_s else "is missing"
    return Example(
        name=name,
        problem=vouched.problem,
        on_limit=plan(AT_EDGE, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("encryption_at_rest", SUBJECT, end_s, 2000, at(58), "encryption at rest"),
        message=f"{SUBJECT}: encryption at rest {held}; it is needed until {NEEDED}",
        spared=(
            two_sites().problem,
            fleet(scope=Scope(classes=("voice",))).problem,
            fleet(scope=Scope(stages=("write",))).problem,
        ),
        reasons=(f"cloud has no encryption at rest, needed until {NEEDED}",),
        domain=Domain(counts=(1,)),
    )


EXAMPLES = (
    example(
        "a certification ends with the plan and not a second before",
        fleet()
        .held("site", "paris", (1,), 1000, 2000, standard=STANDARD)
        .held("pool", "cloud", (1,), 0, 1999, standard=STANDARD),
        1999,
        "1970-01-01T00:33:19Z",
    ),
    example(
        "a result carries on where a certification ends",
        fleet()
        .held("pool", "edge", (1,), 0, 1500, standard=STANDARD)
        .attested("pool", "edge", 1500, 2000, claims=OPAQUE)
        .held("pool", "cloud", (1,), 0, 1500, standard=STANDARD)
        .attested("site", "lyon", 1501, 2000, claims=OPAQUE),
        1500,
        "1970-01-01T00:25:00Z",
    ),
    example(
        "every node is attested so, and so by this claim",
        wide()
        .attested("node", "edge/edge-0", 0, 2001, claims=OPAQUE, tees=(), verifier="anybody")
        .attested("node", "edge/edge-1", 0, 2500, claims=OPAQUE)
        .attested("node", "cloud/cloud-0", 0, 2000, claims=OPAQUE)
        .attested("node", "cloud/cloud-1", 0, 2000, claims=("hardware", "runtime-opaque"))
        .held("pool", "cloud", (2020,), 0, 2000, standard="c5")
        .held("pool", "cloud", (4,), 0, 2000),
        0,
        "",
    ),
    example(
        "a result that warns of a part affirms nothing",
        fleet()
        .attested("pool", "edge", 0, 2000, claims=OPAQUE)
        .attested("pool", "cloud", 0, 2000, claims=OPAQUE, tier=WARNING),
        0,
        "",
    ),
)
