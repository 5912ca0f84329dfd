"""What a tiny problem asks of compliance, and what is held there: drawn from its seed."""

from typing import Final

from dice import Dice

from policy.clauses import (
    CertificationClause,
    Comparison,
    ComplianceProfile,
    ForbiddenClause,
    LinkSecurityClause,
    LocalityClause,
    PurchaseClause,
    ResidencyClause,
    Scope,
    SeparationClause,
    Standard,
    VersionBound,
)
from policy.findings import Place
from policy.resolved import Encryption, Pool, Purchase
from rules.kernel.problem import Held

HERE: Final = Place("generated", 1, 1)
FROM_4: Final = VersionBound(Comparison.AT_LEAST, (4,))
RANGES: Final[tuple[tuple[VersionBound, ...], ...]] = (
    (),
    (FROM_4,),
    (VersionBound(Comparison.AT_LEAST, (4, 0)),),
    (FROM_4, VersionBound(Comparison.BELOW, (4, 0, 1))),
    (VersionBound(Comparison.ABOVE, (4, 0)),),
    (VersionBound(Comparison.AT_MOST, (4,)),),
    (VersionBound(Comparison.EXACTLY, (4,)),),
)
OTHER: Final = "iso-27001"
OTHERS: Final = (Scope(), Scope(services=("svc1",)))
BOUGHT: Final = ((Purchase.OWNED,), (Purchase.OWNED, Purchase.SPOT), (Purchase.ON_DEMAND,))


def profile(dice: Dice) -> ComplianceProfile:
    """What is asked for the class `card`, sometimes for one stage of it alone."""
    asked = CertificationClause(
        (Standard("pci-dss", dice.one(RANGES)), *((Standard(OTHER),) if dice.says(0.3) else ())), HERE
    )
    return ComplianceProfile(
        name="cards",
        scope=Scope(classes=("card",), stages=dice.one(((), (), ("det",), ("rec",)))),
        certifications=(asked,) if dice.says(0.3) else (),
        forbidden=(ForbiddenClause(Standard(OTHER, dice.one(RANGES)), HERE),) if dice.says(0.15) else (),
        residency=ResidencyClause(dice.one((("EU",), ("FR", "EU"), ("US",))), HERE) if dice.says(0.3) else None,
        link_security=LinkSecurityClause(dice.one(tuple(Encryption)), HERE) if dice.says(0.3) else None,
        purchase=PurchaseClause(dice.one(BOUGHT), HERE) if dice.says(0.15) else None,
        place=HERE,
        locality=LocalityClause(HERE) if dice.says(0.1) else None,
        separation=SeparationClause(dice.one(OTHERS), HERE) if dice.says(0.15) else None,
    )


def certifications(dice: Dice, pools: tuple[Pool, ...], sites: tuple[str, ...], span_s: range) -> tuple[Held, ...]:
    """Some for the whole span, some that end a second early, some in two parts with or without a gap."""
    subjects = [("site", name) for name in sites] + [("pool", pool.name) for pool in pools]
    found: list[Held] = []
    for kind, name in subjects:
        middle, end = span_s.start + dice.within(1, len(span_s) - 1), span_s.stop - dice.one((0, 0, 1))
        version = dice.one(((3, 2), (4,), (4, 0, 1)))
        spans = dice.one((((0, end),), ((0, middle), (middle, end)), ((0, middle), (middle + 1, end))))
        found += [Held(kind, name, "pci-dss", version, *span) for span in spans if dice.says(0.7)]
        if dice.says(0.2):
            found.append(Held(kind, name, OTHER, version, dice.one((0, middle, span_s.stop)), dice.one((middle, end))))
    return tuple(found)
