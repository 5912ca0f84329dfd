"""Certification: it is second 1000, placements are needed until 2000, and card data asks for pci-dss 4.0.

In each case the pool `edge` holds it just so, and `cloud` just not.
"""

from typing import Any

from policy.clauses import CertificationClause, Comparison, Scope, Standard, VersionBound
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, asks, at, plan, two_sites
from tests.rules.example import Domain, Example

AT_EDGE = {("rec@edge", "edge-0"): 1}
STANDING = {**AT_EDGE, ("rec@cloud", "cloud-0"): 1}
SUBJECT = "stage read of ocr@paris on rec@cloud"


EITHER = CertificationClause(
    (
        Standard("pci-dss", (VersionBound(Comparison.ABOVE, (4,)), VersionBound(Comparison.BELOW, (5, 1)))),
        Standard("soc-2", (VersionBound(Comparison.EXACTLY, (2,)),)),
    ),
    at(51),
)


def fleet(minimum: tuple[int, ...] = (4, 0), **clauses: Any) -> Fleet:
    return two_sites(**clauses).profile("card", certifications=(asks("pci-dss", minimum, at(51)),))


def example(name: str, certified: Fleet, until: tuple[int, str] = (0, ""), standard: str = "pci-dss >=4.0") -> Example:
    """A case in which `edge` holds the standard and `cloud` does until a second, given also in words, or not at all."""
    until_s, until_text = until
    held = f"held until {until_text}" if until_text else "not held"
    return Example(
        name=name,
        problem=certified.problem,
        on_limit=plan(AT_EDGE, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("certification", SUBJECT, until_s, 2000, at(51), standard),
        message=f"{SUBJECT}: {standard} is {held}; it is needed until 1970-01-01T00:33:20Z",
        spared=(
            two_sites().problem,
            fleet(data_classes=("voice",)).problem,
            certified.held("site", "lyon", (5,), 0, 9999).problem,
        ),
        reasons=(f"cloud does not hold {standard}, needed until 1970-01-01T00:33:20Z",),
        domain=Domain(counts=(1,)),
    )


EXAMPLES = (
    example(
        "one of several standards is enough, and carries on where another ends",
        two_sites()
        .profile("card", certifications=(EITHER,))
        .held("site", "paris", (5,), 0, 1500)
        .held("pool", "edge", (2, 0), 1500, 2000, standard="soc-2")
        .held("site", "lyon", (4,), 0, 2000)
        .held("site", "lyon", (5, 1), 0, 2000)
        .held("pool", "cloud", (2, 1), 0, 2000, standard="soc-2"),
        standard="pci-dss >4, <5.1 or soc-2 =2",
    ),
    example(
        "a profile covers only the stages, labels and services that it names",
        two_sites()
        .profile(
            "card",
            scope=Scope(classes=("card",), services=("ocr",), stages=("read",)),
            certifications=(asks("pci-dss", (4, 0), at(51)),),
        )
        .held("site", "paris", (4, 0), 0, 2000),
    ),
    example(
        "a certification may end when the plan does, not a second earlier",
        fleet().held("site", "paris", (4, 0), 0, 2000).held("pool", "cloud", (4, 0), 0, 1999),
        until=(1999, "1970-01-01T00:33:19Z"),
    ),
    example(
        "a certification may begin now, not a second later",
        fleet().held("pool", "edge", (4, 0), 1000, 3000).held("site", "lyon", (4, 0), 1001, 3000),
    ),
    example(
        "a certification that ends now is over",
        fleet().held("pool", "edge", (4, 0), 0, 2000).held("site", "lyon", (4, 0), 0, 1000),
    ),
    example(
        "a certification of the past is no gap",
        fleet()
        .held("pool", "edge", (4, 0), 0, 500)
        .held("pool", "edge", (4, 0), 600, 2000)
        .held("site", "lyon", (4, 0), 0, 500)
        .held("site", "lyon", (4, 0), 1500, 3000),
    ),
    example(
        "what is missing of the version held counts as 0",
        fleet().held("site", "paris", (4,), 0, 2000).held("site", "lyon", (3, 9, 9), 0, 2000),
    ),
    example(
        "what is missing of the version asked counts as 0",
        fleet((4,)).held("site", "paris", (4, 0), 0, 2000).held("site", "lyon", (3, 9), 0, 2000),
        standard="pci-dss >=4",
    ),
    example(
        "a missing part is less than 1",
        fleet((4, 1)).held("site", "paris", (5,), 0, 2000).held("site", "lyon", (4,), 0, 2000),
        standard="pci-dss >=4.1",
    ),
    example(
        "a later version is enough, another standard and another subject of the same name are not",
        fleet()
        .held("site", "paris", (4, 0, 1), 0, 2000)
        .held("site", "cloud", (4, 0), 0, 2000)
        .held("site", "lyon", (4, 0), 0, 2000, standard="iso-27001")
        .held("site", "lyon", (4, 0), 0, 2000, standard="soc-2"),
    ),
    example(
        "a renewal carries on when it leaves no gap",
        fleet()
        .held("site", "paris", (4, 0), 1400, 1900)
        .held("site", "paris", (4, 0), 0, 1400)
        .held("pool", "edge", (4, 0), 1800, 2001)
        .held("site", "lyon", (4, 0), 1401, 2500)
        .held("site", "lyon", (4, 0), 0, 1400),
        until=(1400, "1970-01-01T00:23:20Z"),
    ),
)
