"""Provenance: it is second 1000, placements are needed until 2000, and card data is seen by signed variants alone.

In each case the variant in the pool `edge` is vouched for just long enough, that in `cloud` a second short or not as
it is asked.
"""

from policy.clauses import Comparison, ProvenanceClause, Scope, Standard, VersionBound
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, plan, stage, two_places
from tests.rules.example import Domain, Example

AT_EDGE = {("rec@edge", "edge-0"): 1}
STANDING = {**AT_EDGE, ("rec@cloud", "cloud-0"): 1}
SUBJECT = "stage read of ocr@paris on rec@cloud"
NEEDED = "1970-01-01T00:33:20Z"
CARDS = Scope(classes=("card",))
LEVEL_3 = ProvenanceClause(Standard("slsa", (VersionBound(Comparison.AT_LEAST, (3,)),)), (), at(57))
SIGNED = ProvenanceClause(Standard("model-signature"), ("releases", "vendor"), at(57))


def fleet(clause: ProvenanceClause = LEVEL_3, scope: Scope = CARDS) -> Fleet:
    """The variants `full`, in the pool `edge`, and `half`, in the pool `cloud`."""
    served = two_places().model("rec", full="sha256:f", half="sha256:h")
    served = served.service("ocr", stage("read", "rec"), data_classes=("card",)).demand("ocr", "paris")
    served = served.option("rec@edge", "rec", "edge", variant="full").option(
        "rec@cloud", "rec", "cloud", variant="half"
    )
    served = served.path("near", "ocr@paris", "rec@edge").path("far", "ocr@paris", "rec@cloud")
    return served.profile("card", scope=scope, provenance=(clause,))


def example(name: str, vouched: Fleet, end_s: int, end_text: str, words: str = "slsa >=3") -> Example:
    """A case in which what is said of `half` ends at a second, given also in words; 0 where it never counts."""
    held = f"holds until {end_text}" if end_s else "is missing"
    (profile,) = vouched.problem.policy.compliance
    (clause,) = profile.provenance
    return Example(
        name=name,
        problem=vouched.problem,
        on_limit=plan(AT_EDGE, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("provenance", SUBJECT, end_s, 2000, at(57), words),
        message=f"{SUBJECT}: {words} {held}; it is needed until {NEEDED}",
        spared=(
            fleet(clause, Scope(classes=("voice",))).problem,
            fleet(clause, Scope(stages=("write",))).problem,
        ),
        reasons=(f"rec/half has no {words}, needed until {NEEDED}",),
        domain=Domain(counts=(1,)),
    )


EXAMPLES = (
    example(
        "it ends with the plan and not a second before",
        fleet().vouched("sha256:f", 1000, 2000).vouched("sha256:h", 0, 1999, version=(4,)),
        1999,
        "1970-01-01T00:33:19Z",
    ),
    example(
        "another statement takes over without a gap",
        fleet()
        .vouched("sha256:f", 0, 1500)
        .vouched("sha256:f", 1500, 3000, signer="other")
        .vouched("sha256:h", 0, 1500)
        .vouched("sha256:h", 1501, 3000),
        1500,
        "1970-01-01T00:25:00Z",
    ),
    example(
        "what is said of another artefact, of a lower level, or later, does not count",
        fleet()
        .vouched("sha256:f", 0, 3000)
        .vouched("sha256:h", 0, 3000, version=(2,))
        .vouched("sha256:h", 0, 3000, standard="model-signature")
        .vouched("sha256:h", 1001, 3000)
        .vouched("", 0, 3000),
        0,
        "",
    ),
    example(
        "only the word of those who are named counts",
        fleet(SIGNED)
        .vouched("sha256:f", 0, 3000, signer="vendor", standard="model-signature", version=(1,))
        .vouched("sha256:h", 0, 3000, signer="nobody", standard="model-signature", version=(1,))
        .vouched("sha256:h", 0, 3000),
        0,
        "",
        "model-signature of releases or vendor",
    ),
)
