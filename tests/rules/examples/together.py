"""Together: two stages stay at one site or in one pool; `edge` and `attic` are in Paris, `cloud` is in Lyon."""

from policy.resolved import TogetherClause, Within
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import at, plan, stage, two_places
from tests.rules.example import Domain, Example

STANDING = {
    ("det@edge", "edge-0"): 1,
    ("rec@edge", "edge-0"): 1,
    ("rec@attic", "attic-0"): 1,
    ("rec@cloud", "cloud-0"): 1,
}
AT_A_SITE = TogetherClause(("find", "read"), Within.SITE, at(12))
IN_A_POOL = TogetherClause(("read", "find"), Within.POOL, at(13))
ALONE = TogetherClause(("find",), Within.POOL, at(14))


def problem(*clauses: TogetherClause) -> Problem:
    fleet = two_places().pool("attic", "paris", line=33)
    fleet = fleet.service("ocr", stage("find", "det"), stage("read", "rec"), together=clauses).demand("ocr", "paris")
    fleet = fleet.option("det@edge", "det", "edge").option("rec@edge", "rec", "edge")
    fleet = fleet.option("rec@attic", "rec", "attic").option("rec@cloud", "rec", "cloud")
    fleet = fleet.path("edge", "ocr@paris", "det@edge", "rec@edge").path("attic", "ocr@paris", "det@edge", "rec@attic")
    return fleet.path("cloud", "ocr@paris", "det@edge", "rec@cloud").problem


EXAMPLES = (
    Example(
        name="stages may run in two pools of their site",
        problem=problem(AT_A_SITE),
        on_limit=plan(STANDING, {"edge": 500, "attic": 500}),
        over_limit=plan(STANDING, {"edge": 999, "cloud": 1}),
        violation=Violation("together", "cloud", 2, 1, at(12), "sites"),
        message="path cloud: stages that stay together run at 2 sites, and 1 is asked",
        spared=(problem(), problem(ALONE)),
        reasons=("find and read run at one site, not at paris and lyon",),
        domain=Domain(counts=(1,)),
    ),
    Example(
        name="unless they are to run in one",
        problem=problem(IN_A_POOL),
        on_limit=plan(STANDING, {"edge": 1000}),
        over_limit=plan(STANDING, {"edge": 999, "attic": 1}),
        violation=Violation("together", "attic", 2, 1, at(13), "pools"),
        message="path attic: stages that stay together run at 2 pools, and 1 is asked",
        spared=(problem(ALONE), problem()),
        reasons=(
            "read and find run at one pool, not at attic and edge",
            "read and find run at one pool, not at cloud and edge",
        ),
        domain=Domain(counts=(1,)),
    ),
)
