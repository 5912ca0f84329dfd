"""Standing: card data asks for pci-dss, which `edge` in Paris holds, and `cloud` in Lyon, to which nothing goes, lacks.

The service is asked for in Paris. `asr` is another one, of no card data, and `tts` is asked for nothing.
"""

from dataclasses import replace
from typing import Any

from policy.clauses import LocalityClause, Scope
from policy.resolved import Origin
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, asks, at, plan, stage, two_places, two_sites
from tests.rules.example import Domain, Example

PCI = asks("pci-dss", (), at(51))
LACKS = "cloud does not hold pci-dss, needed until 1970-01-01T00:33:20Z"
NOT_HELD = "stage read of ocr@paris on rec@cloud: pci-dss is not held; it is needed until 1970-01-01T00:33:20Z"
AWAY = "stage read of ocr@paris on rec@cloud: the stage is a hop away from its origin, and must run there"
OTHERS = "stage read of ocr@paris on rec@cloud: cloud is dedicated to other services"
OVER = plan({("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}, {"near": 1000})


def fleet(**clauses: Any) -> Fleet:
    """The profile asks for the standard, and for what is said besides."""
    found = two_sites().profile("card", **({"certifications": (PCI,)} | clauses))
    return found.held("site", "paris", (4, 0), 0, 2000)


def from_everywhere(problem: Problem, service: str, *sites: str) -> Problem:
    """A service that names these sites as origins of its requests."""
    policy = problem.policy
    services = (
        replace(each, origins=tuple(Origin(site, 500, at(12)) for site in sites)) if each.name == service else each
        for each in policy.services
    )
    return replace(problem, policy=replace(policy, services=tuple(services)))


def dedicated(*services: str) -> Problem:
    """`cloud` is kept for some services, and nothing else is asked."""
    problem = two_sites().problem
    edge, cloud = problem.policy.pools
    pools = (edge, replace(cloud, dedicated_to=Scope(services=services)))
    return replace(problem, policy=replace(problem.policy, pools=pools))


def example(name: str, problem: Problem, over_limit: Plan, spared: tuple[Problem, ...], **other: Any) -> Example:
    """A case in which it is `cloud` that lacks the standard."""
    return Example(
        name=name,
        problem=problem,
        over_limit=over_limit,
        spared=spared,
        **(
            {
                "on_limit": plan({("rec@edge", "edge-0"): 2}, {"near": 1000}),
                "violation": Violation("standing", "rec@cloud", 1, 0, at(51), NOT_HELD),
                "message": f"rec@cloud: 1 instance would stand where no request may go: {NOT_HELD}",
                "reasons": (LACKS,),
                "beside": ("certification",),
                "domain": Domain(shares=(0, 1000)),
            }
            | other
        ),
    )


ASR = fleet().service("asr", stage("hear", "rec")).demand("asr", "paris")
TTS = fleet().service("tts", stage("hear", "rec")).problem
HOME = fleet(certifications=(), locality=LocalityClause(at(57))).problem
STRICTER = (
    ASR.profile(
        "spoken", scope=Scope(services=("asr",)), certifications=(asks("soc-2", (), at(58)), asks("iso", (), at(59)))
    )
    .path("heard", "asr@paris", "rec@edge")
    .held("pool", "edge", (2,), 0, 2000, standard="soc-2")
    .held("pool", "edge", (2,), 0, 2000, standard="iso")
    .problem
)


def pipeline(*stages: str) -> Problem:
    """Three stages in both pools, of which the profile covers some alone."""
    fleet = two_places().service(
        "ocr", stage("find", "det"), stage("read", "rec"), stage("add", "sum"), data_classes=("card",)
    )
    fleet = fleet.demand("ocr", "paris").held("site", "paris", (4, 0), 0, 2000)
    for pool in ("edge", "cloud"):
        names = [f"{model}@{pool}" for model in ("det", "rec", "sum")]
        for name in names:
            fleet = fleet.option(name, name.partition("@")[0], pool)
        fleet = fleet.path(pool, "ocr@paris", *names)
    return fleet.profile("card", scope=Scope(classes=("card",), stages=stages), certifications=(PCI,)).problem


ALL_AT_EDGE = {("det@edge", "edge-0"): 1, ("rec@edge", "edge-0"): 1, ("sum@edge", "edge-0"): 1}
BESIDE = {("det@cloud", "cloud-0"): 1, ("sum@cloud", "cloud-0"): 1}

EXAMPLES = (
    example(
        "a model stands idle where its requests may go, and nowhere else",
        from_everywhere(fleet().service("asr", stage("hear", "other")).problem, "asr", "lyon"),
        OVER,
        (
            two_sites().problem,
            fleet().held("pool", "cloud", (4,), 0, 2000).problem,
            ASR.problem,
            from_everywhere(TTS, "tts", "lyon"),
        ),
    ),
    example(
        "a service that no origin asks for lets nothing stand",
        TTS,
        plan({("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 2}, {"near": 1000}),
        (),
        violation=Violation("standing", "rec@cloud", 2, 0, at(51), NOT_HELD),
        message=f"rec@cloud: 2 instances would stand where no request may go: {NOT_HELD}",
    ),
    example(
        "requests may come from an origin that asks for nothing now",
        HOME,
        OVER,
        (from_everywhere(HOME, "ocr", "paris", "lyon"),),
        violation=Violation("standing", "rec@cloud", 1, 0, at(57), AWAY),
        message=f"rec@cloud: 1 instance would stand where no request may go: {AWAY}",
        reasons=("lyon is not paris, where the data has to stay",),
        beside=("locality",),
    ),
    example(
        "told is what the fewest clauses are against",
        STRICTER,
        plan({("rec@edge", "edge-0"): 2, ("rec@cloud", "cloud-0"): 1}, {"near": 1000, "heard": 1000}),
        (),
        on_limit=plan({("rec@edge", "edge-0"): 2}, {"near": 1000, "heard": 1000}),
    ),
    example(
        "what other stages of a service may use is no matter",
        pipeline("read"),
        plan(ALL_AT_EDGE | BESIDE | {("rec@cloud", "cloud-0"): 1}, {"edge": 1000}),
        (pipeline("write"),),
        on_limit=plan(ALL_AT_EDGE | BESIDE, {"edge": 1000}),
        domain=Domain(counts=(0, 1), shares=(0,)),
    ),
    example(
        "a pool that is kept for others has nothing of a service",
        dedicated("asr", "tts"),
        OVER,
        (dedicated("asr", "ocr"),),
        violation=Violation("standing", "rec@cloud", 1, 0, at(32), OTHERS),
        message=f"rec@cloud: 1 instance would stand where no request may go: {OTHERS}",
        reasons=("cloud is dedicated to other services",),
        beside=("dedication",),
    ),
)
