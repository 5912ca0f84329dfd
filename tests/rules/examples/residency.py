"""Residency: data asked for in Paris stays within the EU; in each case the path `far` leaves it just once."""

from policy.clauses import ResidencyClause
from policy.resolved import Encryption
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, one_service, plan, two_sites
from tests.rules.example import Domain, Example

EU = ResidencyClause(("EU", "CH"), at(52))
AT_EDGE = {("rec@edge", "edge-0"): 1}
STANDING = {**AT_EDGE, ("rec@cloud", "cloud-0"): 1}


def fleet(
    origin: str,
    site: str,
    *transit: str,
    linked: bool = True,
    classes: tuple[str, ...] = ("card",),
    far: str = "lyon",
) -> Fleet:
    places = Fleet().site("paris", "FR", origin).site(far, "FR", site)
    places = places.pool("edge", "paris", line=31).pool("cloud", far, line=32)
    places = places.link(far, "paris", Encryption.NONE, *transit) if linked else places
    return one_service(places, data_classes=classes).profile("card", residency=EU)


INSIDE = fleet("EU", "CH", "EU", "CH").problem


def example(name: str, leaving: Fleet, reason: str) -> Example:
    subject = "stage read of ocr@paris on rec@cloud"
    return Example(
        name=name,
        problem=leaving.problem,
        on_limit=plan(AT_EDGE, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("residency", subject, 1, 0, at(52)),
        message=f"{subject}: sites and crossings outside the allowed jurisdictions: 1, allowed: 0",
        spared=(two_sites().problem, INSIDE, fleet("EU", "US", classes=("voice",)).problem),
        reasons=(reason,),
        domain=Domain(counts=(1,)),
    )


EXAMPLES = (
    example("a stage's site lies within", fleet("EU", "US"), "lyon does not lie within EU, CH"),
    example(
        "all that a hop crosses lies within",
        fleet("EU", "EU", "EU", "US", "CH"),
        "the link between paris and lyon crosses US",
    ),
    example(
        "all that a hop to a site further down the alphabet crosses lies within",
        fleet("EU", "EU", "US", far="turin"),
        "the link between paris and turin crosses US",
    ),
    example(
        "a hop that no document tells of is outside",
        fleet("EU", "EU", linked=False, far="turin"),
        "no Link document tells what lies between paris and turin",
    ),
    Example(
        name="an origin outside can be served nowhere",
        problem=fleet("UK", "EU").problem,
        on_limit=plan({}, {}, {"ocr@paris": 1000}, {"ocr": 1}),
        over_limit=plan(AT_EDGE, {"near": 1}, {"ocr@paris": 999}, {"ocr": 1}),
        violation=Violation("residency", "stage read of ocr@paris on rec@edge", 1, 0, at(52)),
        message=(
            "stage read of ocr@paris on rec@edge: sites and crossings outside the allowed jurisdictions: 1, allowed: 0"
        ),
        spared=(INSIDE,),
        reasons=("paris does not lie within EU, CH", "paris does not lie within EU, CH"),
        domain=Domain(counts=(1,)),
    ),
    Example(
        name="everything outside is counted",
        problem=fleet("UK", "US", "UK", "US").problem,
        on_limit=plan({}, {}, {"ocr@paris": 1000}, {"ocr": 1}),
        over_limit=plan({("rec@cloud", "cloud-0"): 1}, {"far": 1}, {"ocr@paris": 999}, {"ocr": 1}),
        violation=Violation("residency", "stage read of ocr@paris on rec@cloud", 4, 0, at(52)),
        message=(
            "stage read of ocr@paris on rec@cloud: sites and crossings outside the allowed jurisdictions: 4, allowed: 0"
        ),
        spared=(INSIDE,),
        reasons=("paris does not lie within EU, CH", "paris does not lie within EU, CH"),
        domain=Domain(counts=(1,)),
    ),
)
