"""Link evidence: it is second 1000, placements are needed until 2000; what lies between Paris and Lyon must be proven.

The link to Lyon is vouched for just long enough, that to Oslo a second short or not as it is asked.
"""

from policy.clauses import LinkEvidenceClause, Scope
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, one_service, plan
from tests.rules.example import Domain, Example

ENCRYPTED = {("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}
STANDING = {**ENCRYPTED, ("rec@north", "north-0"): 1}
SUBJECT = "stage read of ocr@paris on rec@north"
NEEDED = "1970-01-01T00:33:20Z"
CARDS = Scope(classes=("card",))
MTLS = LinkEvidenceClause(("mtls",), at(58))
TLS = LinkEvidenceClause(("tls", "mtls"), at(58))


def fleet(clause: LinkEvidenceClause = MTLS, scope: Scope = CARDS, far: str = "oslo", joined: str = "oslo") -> Fleet:
    """A fleet in which `far` is linked with Paris where it is `joined`."""
    places = Fleet().site("paris", "FR").site("lyon", "FR").site(far, "NO").link("paris", "lyon")
    places = places.link(far, "paris") if joined == far else places
    places = places.pool("edge", "paris").pool("cloud", "lyon").pool("north", far)
    served = one_service(places).profile("card", scope=scope, link_evidence=clause)
    return served.option("rec@north", "rec", "north").path("north", "ocr@paris", "rec@north")


def proven(fleet: Fleet, link: str, from_s: int, until_s: int, standard: str = "mtls") -> Fleet:
    return fleet.held("link", link, (1, 3), from_s, until_s, standard=standard)


def example(name: str, shown: Fleet, end_s: int, end_text: str, clause: LinkEvidenceClause = MTLS) -> Example:
    """A case in which what the link to Oslo has ends at a second, given also in words; 0 where it never counts."""
    held = f"holds until {end_text}" if end_s else "is missing"
    site = shown.problem.policy.pool("north").site
    return Example(
        name=name,
        problem=shown.problem,
        on_limit=plan(ENCRYPTED, {"near": 400, "far": 600, "north": 0}),
        over_limit=plan(STANDING, {"near": 400, "far": 599, "north": 1}),
        violation=Violation("link_evidence", SUBJECT, end_s, 2000, at(58), str(clause)),
        message=f"{SUBJECT}: {clause} for the hop {held}; it is needed until {NEEDED}",
        spared=(
            fleet(clause, Scope(classes=("voice",))).problem,
            fleet(clause, Scope(stages=("write",))).problem,
        ),
        reasons=(f"the link between paris and {site} has no {clause}, needed until {NEEDED}",),
        domain=Domain(counts=(1,)),
    )


EXAMPLES = (
    example(
        "it ends with the plan and not a second before",
        proven(proven(fleet(), "paris-lyon", 1000, 2000), "oslo-paris", 0, 1999),
        1999,
        "1970-01-01T00:33:19Z",
    ),
    example(
        "what is stated of another link, of a site or of weaker encryption does not count",
        proven(proven(proven(fleet(), "paris-lyon", 0, 3000), "oslo-paris", 0, 3000, "tls"), "paris-oslo", 0, 3000)
        .held("site", "oslo-paris", (1, 3), 0, 3000, standard="mtls")
        .held("artefact", "oslo-paris", (1, 3), 0, 3000, standard="mtls"),
        0,
        "",
    ),
    example(
        "better encryption than is asked will do, one statement after the other",
        proven(
            proven(proven(fleet(TLS), "paris-lyon", 0, 1500, "tls"), "paris-lyon", 1500, 3000), "oslo-paris", 1001, 3000
        ),
        0,
        "",
        TLS,
    ),
    example(
        "it does not matter on which side the other site stands",
        proven(proven(fleet(far="turin", joined="turin"), "paris-lyon", 0, 3000), "turin-paris", 0, 1400),
        1400,
        "1970-01-01T00:23:20Z",
    ),
    example(
        "where no document tells of a link there is no evidence of it",
        proven(proven(fleet(joined=""), "paris-lyon", 0, 3000), "", 0, 3000),
        0,
        "",
    ),
)
