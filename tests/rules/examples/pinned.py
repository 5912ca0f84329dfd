"""Pinned models: card data is seen by artefacts that are named alone; `edge` runs one of them, and `cloud` another."""

from policy.clauses import PinnedClause, Scope
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, plan, stage, two_places
from tests.rules.example import Domain, Example

AT_EDGE = {("rec@edge", "edge-0"): 1}
STANDING = {**AT_EDGE, ("rec@cloud", "cloud-0"): 1}
SUBJECT = "stage read of ocr@paris on rec@cloud"
FULL, HALF, NEXT = "sha256:f0f0f0f0f0", "sha256:c0c0c0c0c0", "sha256:beadbeadbe"
CARDS = Scope(classes=("card",))


def fleet(*digests: str, scope: Scope = CARDS) -> Fleet:
    """The variants `full`, in the pool `edge`, and `half`, in the pool `cloud`."""
    served = two_places().model("rec", full=FULL, half=HALF)
    served = served.service("ocr", stage("read", "rec"), data_classes=("card",)).demand("ocr", "paris")
    served = served.option("rec@edge", "rec", "edge", variant="full")
    served = served.option("rec@cloud", "rec", "cloud", variant="half")
    served = served.path("near", "ocr@paris", "rec@edge").path("far", "ocr@paris", "rec@cloud")
    return served.profile("card", scope=scope, pinned=PinnedClause(digests, at(59)) if digests else None)


def example(name: str, words: str, *digests: str) -> Example:
    return Example(
        name=name,
        problem=fleet(*digests).problem,
        on_limit=plan(AT_EDGE, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("pinned", SUBJECT, 1, 0, at(59), HALF),
        message=f"{SUBJECT}: the digest {HALF} is not among those that are named",
        spared=(
            fleet().problem,
            fleet(*digests, HALF).problem,
            fleet(*digests, scope=Scope(classes=("voice",))).problem,
            fleet(*digests, scope=Scope(stages=("write",))).problem,
        ),
        reasons=(f"rec/half is not {words}",),
        domain=Domain(counts=(1,)),
    )


EXAMPLES = (
    example("the one that is named serves, and no other", "pinned as sha256:f0f0f0f0…", FULL),
    example(
        "so do several, and what no document declares yet may be named",
        "pinned as sha256:beadbead… or sha256:f0f0f0f0…",
        NEXT,
        FULL,
    ),
)
