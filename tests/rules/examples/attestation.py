"""Attestation: it is second 1000, placements are needed until 2000, and card data is read in attested memory alone.

In each case the pool `edge` is attested just long enough, and `cloud` a second short or not as it is asked.
"""

from typing import Any

from policy.clauses import AttestationClause, Scope, Tcb, TcbClause
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, one_service, plan, two_sites
from tests.rules.example import Domain, Example

AT_EDGE = {("rec@edge", "edge-0"): 1}
STANDING = {**AT_EDGE, ("rec@cloud", "cloud-0"): 1}
SUBJECT = "stage read of ocr@paris on rec@cloud"
NEEDED = "1970-01-01T00:33:20Z"
UP_TO_DATE = Tcb("UpToDate")
CARDS = Scope(classes=("card",))


def asks(**asked: Any) -> AttestationClause:
    nothing = {"tees": (), "claims": (), "devices": (), "verifiers": (), "max_age_s": 0, "place": at(56)}
    return AttestationClause(**(nothing | asked))


SEALED = asks(tees=("sev-snp", "tdx"), claims=("hardware",))
WORDS = "attestation (sev-snp or tdx, hardware)"


def fleet(clause: AttestationClause | None = SEALED, scope: Scope = CARDS) -> Fleet:
    return two_sites().profile("card", scope=scope, attestation=clause)


def wide() -> Fleet:
    """The same with two nodes in each pool."""
    places = Fleet().site("paris", "FR", "EU").site("lyon", "FR", "EU").link("lyon", "paris")
    places = places.pool("edge", "paris", nodes=2, line=31).pool("cloud", "lyon", nodes=2, line=32)
    return one_service(places).profile("card", attestation=SEALED)


def example(name: str, attested: Fleet, end_s: int, end_text: str, words: str = WORDS) -> Example:
    """A case in which what `cloud` has ends at a second, given also in words; 0 where it never counts."""
    held = f"holds until {end_text}" if end_s else "is missing"
    policy = attested.problem.policy
    (profile,) = policy.compliance
    return Example(
        name=name,
        problem=attested.problem,
        on_limit=plan(AT_EDGE, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("attestation", SUBJECT, end_s, 2000, at(56), words),
        message=f"{SUBJECT}: {words} {held}; it is needed until {NEEDED}",
        spared=(
            two_sites().problem,
            fleet(profile.attestation, Scope(classes=("voice",))).problem,
            fleet(profile.attestation, Scope(stages=("write",))).problem,
        ),
        reasons=(f"cloud has no {words}, needed until {NEEDED}",),
        domain=Domain(counts=(1,)),
    )


AGED = asks(max_age_s=1500)

EXAMPLES = (
    example(
        "a result ends with the plan and not a second before",
        fleet().attested("pool", "edge", 1000, 2000).attested("pool", "cloud", 0, 1999),
        1999,
        "1970-01-01T00:33:19Z",
    ),
    example(
        "a newer result takes over without a gap, of the pool or of its site",
        fleet()
        .attested("site", "paris", 500, 1500, tees=("tdx",))
        .attested("pool", "edge", 1500, 3000)
        .attested("site", "lyon", 500, 1500)
        .attested("pool", "cloud", 1501, 3000),
        1500,
        "1970-01-01T00:25:00Z",
    ),
    example(
        "a result is too old once it has the age, however long its verifier stands by it",
        fleet(AGED)
        .attested("pool", "edge", 600, 9000, appraised_s=500)
        .attested("pool", "cloud", 600, 9000, appraised_s=499),
        1999,
        "1970-01-01T00:33:19Z",
        "attestation",
    ),
    example(
        "every environment that the result names is one of those asked for, and there is one",
        fleet()
        .attested("pool", "edge", 0, 2000, tees=("sev-snp", "tdx"), claims=("executables", "hardware"))
        .attested("pool", "cloud", 0, 2000, tees=("sev-snp", "sgx"))
        .attested("pool", "cloud", 0, 2000, tees=())
        .attested("pool", "cloud", 0, 2000, claims=("executables",))
        .attested("pool", "lyon", 0, 2000)
        .attested("site", "cloud", 0, 2000)
        .attested("pool", "cloud", 2000, 3000),
        0,
        "",
    ),
    example(
        "each node of a pool is attested, by itself or with its pool",
        wide()
        .attested("node", "edge/edge-0", 0, 2000)
        .attested("node", "edge/edge-1", 0, 1500)
        .attested("node", "edge/edge-1", 1500, 2000)
        .attested("node", "edge/edge-2", 0, 500)
        .attested("node", "cloud/cloud-0", 0, 2000)
        .attested("node", "cloud/cloud-1", 0, 1700)
        .attested("pool", "cloud", 0, 1200)
        .attested("node", "edge", 0, 2000)
        .attested("pool", "cloud-1", 0, 2000),
        1700,
        "1970-01-01T00:28:20Z",
    ),
    example(
        "no part is warned of, unless the clause takes that",
        fleet().attested("pool", "edge", 0, 2000).attested("pool", "cloud", 0, 2000, tier="warning"),
        0,
        "",
    ),
    example(
        "a part may be warned of where the clause takes that",
        fleet(asks(min_tier="warning"))
        .attested("pool", "edge", 0, 2000, tier="warning")
        .attested("pool", "cloud", 0, 1999, tier="affirming"),
        1999,
        "1970-01-01T00:33:19Z",
        "attestation",
    ),
    example(
        "every environment is up to date, by its word or by each of its numbers, and there is one",
        fleet(asks(tcb=TcbClause(("UpToDate",), (("snp", 24), ("tee", 0)))))
        .attested("pool", "edge", 0, 1500, tcbs=(UP_TO_DATE, Tcb(versions=(("snp", 24), ("tee", 0)))))
        .attested("pool", "edge", 1500, 2000, tcbs=(Tcb(versions=(("snp", 25), ("tee", 0))),))
        .attested("pool", "cloud", 0, 2000, tcbs=())
        .attested("pool", "cloud", 0, 2000, tcbs=(UP_TO_DATE, Tcb()))
        .attested("pool", "cloud", 0, 2000, tcbs=(UP_TO_DATE, Tcb("OutOfDate")))
        .attested("pool", "cloud", 0, 2000, tcbs=(Tcb(versions=(("snp", 24),)),))
        .attested("pool", "cloud", 0, 2000, tcbs=(Tcb(versions=(("snp", 23), ("tee", 99))),)),
        0,
        "",
        "attestation (TCB UpToDate or snp 24, tee 0)",
    ),
    example(
        "a result carries a nonce that was given out, and its age counts from then",
        fleet(asks(max_age_s=1500, nonce=True))
        .attested("pool", "edge", 600, 9000, appraised_s=900, nonce_s=500)
        .attested("pool", "cloud", 600, 9000, appraised_s=900)
        .attested("pool", "cloud", 600, 9000, appraised_s=900, nonce_s=499),
        1999,
        "1970-01-01T00:33:19Z",
        "attestation (nonce)",
    ),
    example(
        "where no nonce is asked for, the age counts from the appraisal",
        fleet(AGED)
        .attested("pool", "edge", 600, 9000, appraised_s=500, nonce_s=100)
        .attested("pool", "cloud", 600, 9000, appraised_s=499, nonce_s=499),
        1999,
        "1970-01-01T00:33:19Z",
        "attestation",
    ),
    example(
        "devices and verifiers are those asked for",
        fleet(asks(devices=("secure-boot",), verifiers=("trustee", "veraison")))
        .attested("pool", "edge", 0, 2000, devices=("debug-disabled", "secure-boot"), verifier="veraison")
        .attested("pool", "cloud", 0, 2000, devices=("debug-disabled",))
        .attested("pool", "cloud", 0, 2000, devices=("secure-boot",), verifier="nobody"),
        0,
        "",
        "attestation (secure-boot)",
    ),
)
