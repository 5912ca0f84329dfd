"""Link security: at home no hop is made; Lyon is linked well enough, Oslo or Turin a step too weakly."""

from policy.clauses import LinkSecurityClause
from policy.resolved import Encryption
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, one_service, plan, two_sites
from tests.rules.example import Domain, Example

ENCRYPTED = {("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}
STANDING = {**ENCRYPTED, ("rec@north", "north-0"): 1}


def fleet(
    good: Encryption,
    poor: Encryption | None,
    asked: Encryption,
    classes: tuple[str, ...] = ("card",),
    weak: str = "oslo",
) -> Fleet:
    places = Fleet().site("paris", "FR").site("lyon", "FR").site(weak, "NO")
    places = places.pool("edge", "paris").pool("cloud", "lyon").pool("north", weak).link("paris", "lyon", good)
    places = places if poor is None else places.link(weak, "paris", poor)
    clause = LinkSecurityClause(asked, at(53))
    served = one_service(places, data_classes=classes).profile("card", link_security=clause)
    return served.option("rec@north", "rec", "north").path("north", "ocr@paris", "rec@north")


def example(name: str, weak: Fleet, measured: int, known: str, asked: Encryption) -> Example:
    north = weak.problem.policy.pool("north").site
    subject = "stage read of ocr@paris on rec@north"
    shown = "not known" if measured < 0 else known
    return Example(
        name=name,
        problem=weak.problem,
        on_limit=plan(ENCRYPTED, {"near": 400, "far": 600, "north": 0}),
        over_limit=plan(STANDING, {"near": 400, "far": 599, "north": 1}),
        violation=Violation("link_security", subject, measured, asked.strength, at(53)),
        message=f"{subject}: the encryption of the hop is {shown}; {asked} or better is asked",
        spared=(
            one_service(Fleet().site("paris").pool("edge", "paris").pool("cloud", "paris")).problem,
            two_sites().problem,
            fleet(Encryption.TLS, Encryption.MTLS, Encryption.TLS).problem,
            fleet(Encryption.NONE, None, Encryption.TLS, classes=("voice",)).problem,
        ),
        reasons=(f"encryption between paris and {north} is {known}; {asked} is asked",),
        domain=Domain(counts=(1,)),
    )


NONE, TLS, MTLS = Encryption
UNKNOWN = "not known: there is no Link document"

EXAMPLES = (
    example("plain TLS is less than mutual TLS", fleet(MTLS, TLS, MTLS), 1, "tls", MTLS),
    example("no encryption is less than TLS, mutual TLS is more", fleet(MTLS, NONE, TLS, weak="turin"), 0, "none", TLS),
    example("TLS is enough for TLS", fleet(TLS, NONE, TLS), 0, "none", TLS),
    example(
        "a hop that no document tells of is no link at all", fleet(NONE, None, NONE, weak="turin"), -1, UNKNOWN, NONE
    ),
)
