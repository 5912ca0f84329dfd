"""Placement: the stage is kept to Paris or away from the cloud; pool `edge` is in Paris, `cloud` in Lyon."""

from policy.resolved import PoolsClause
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import at, plan, two_sites
from tests.rules.example import Domain, Example

STANDING = {("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}
SUBJECT = "stage read of ocr@paris on rec@cloud"


def clause(
    sites: tuple[str, ...] = (),
    pools: tuple[str, ...] = (),
    devices: tuple[str, ...] = (),
    stages: tuple[str, ...] = (),
    *,
    is_barred: bool = False,
) -> PoolsClause:
    return PoolsClause(sites, pools, devices, stages, is_barred, at(12))


def problem(*clauses: PoolsClause) -> Problem:
    return two_sites(pools=clauses).problem


def example(name: str, asked: PoolsClause, word: str, reason: str, spared: tuple[PoolsClause, ...]) -> Example:
    told = "is not among those that the stage may" if word == "among" else "is one of those that the stage may not"
    return Example(
        name=name,
        problem=problem(asked),
        on_limit=plan(STANDING, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("placement", SUBJECT, 1, 0, at(12), word),
        message=f"{SUBJECT}: the pool {told} run in",
        spared=(problem(), *map(problem, spared)),
        reasons=(reason,),
        domain=Domain(counts=(1,)),
    )


EXAMPLES = (
    example(
        "a stage may be kept to sites",
        clause(sites=("paris", "york")),
        "among",
        "cloud is not for it: it is kept to site paris or york",
        (clause(sites=("paris", "lyon")), clause(sites=("paris",), stages=("write",))),
    ),
    example(
        "all that is named has to fit",
        clause(sites=("paris", "lyon"), pools=("edge",), devices=("device",), stages=("read",)),
        "among",
        "cloud is not for it: it is kept to site paris or lyon and pool edge and device device",
        (clause(sites=("paris", "lyon"), devices=("device",)),),
    ),
    example(
        "a stage may be kept from pools",
        clause(pools=("cloud",), is_barred=True),
        "outside",
        "cloud is not for it: it is kept from pool cloud",
        (
            clause(pools=("cloud",), sites=("paris",), is_barred=True),
            clause(devices=("other",), is_barred=True),
            clause(pools=("cloud",), stages=("write",), is_barred=True),
        ),
    ),
)
