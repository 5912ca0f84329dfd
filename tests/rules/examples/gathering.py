"""Gathering: two of three stages stay on one node of each site, or two of two in one rack."""

from dataclasses import replace

from policy.resolved import TogetherClause, Within
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, plan, stage
from tests.rules.example import Domain, Example

ON_A_NODE = TogetherClause(("find", "read"), Within.NODE, at(12))
IN_A_RACK = TogetherClause(("read", "find"), Within.RACK, at(13))
IN_A_POOL = TogetherClause(("find", "read"), Within.POOL, at(14))
AT_A_SITE = TogetherClause(("find", "read"), Within.SITE, at(15))
ALONE = TogetherClause(("count",), Within.NODE, at(16))


def problem(*clauses: TogetherClause, paths: bool = True) -> Problem:
    """`edge` has two nodes in Paris and `cloud` one in Lyon; others use what `ocr` counts with."""
    fleet = Fleet().site("paris").site("lyon").pool("edge", "paris", nodes=2).pool("cloud", "lyon")
    stages = (stage("find", "det"), stage("read", "rec"), stage("count", "cnt"))
    fleet = fleet.service("ocr", *stages, together=clauses).demand("ocr", "paris")
    fleet = fleet.option("det@edge", "det", "edge").option("rec@edge", "rec", "edge").option("cnt@edge", "cnt", "edge")
    fleet = fleet.option("det@cloud", "det", "cloud").option("rec@cloud", "rec", "cloud")
    for name in ("asr", "tts"):
        fleet = fleet.service(name, stage("find", "cnt")).demand(name, "paris").path(name, f"{name}@paris", "cnt@edge")
    if not paths:
        return fleet.problem
    fleet = fleet.path("near", "ocr@paris", "det@edge", "rec@edge", "cnt@edge")
    return fleet.path("far", "ocr@paris", "det@cloud", "rec@cloud", "cnt@edge").problem


def in_racks(*racks: str, clause: TogetherClause = IN_A_RACK) -> Problem:
    """The nodes of `edge` and the one of `attic` are in Paris, in these racks; `far` has a rack in Lyon."""
    fleet = Fleet().site("paris").site("lyon").pool("edge", "paris", nodes=2).pool("attic", "paris")
    fleet = fleet.pool("cloud", "lyon").service("ocr", stage("find", "det"), stage("read", "rec"), together=(clause,))
    fleet = fleet.demand("ocr", "paris").option("det@edge", "det", "edge").option("rec@attic", "rec", "attic")
    fleet = fleet.option("det@cloud", "det", "cloud").option("rec@cloud", "rec", "cloud")
    fleet = fleet.path("near", "ocr@paris", "det@edge", "rec@attic").path("far", "ocr@paris", "det@cloud", "rec@cloud")
    edge, attic, cloud = fleet.problem.policy.pools
    pools = (replace(edge, racks=racks[:2]), replace(attic, racks=racks[2:]), replace(cloud, racks=("far",)))
    return replace(fleet.problem, policy=replace(fleet.problem.policy, pools=pools))


def set_otherwise(*clauses: TogetherClause, variant: str = "fp32") -> Problem:
    """No path takes `busy`, which is `rec` in another setting unless it is of another variant."""
    fleet = Fleet().site("paris").pool("edge", "paris", nodes=2)
    fleet = fleet.service("ocr", stage("find", "det"), stage("read", "rec"), together=clauses).demand("ocr", "paris")
    fleet = fleet.option("det@edge", "det", "edge").option("rec@edge", "rec", "edge")
    fleet = fleet.option("busy", "rec", "edge", variant, max_batch=4)
    return fleet.path("near", "ocr@paris", "det@edge", "rec@edge").problem


def with_barred(*clauses: TogetherClause) -> Problem:
    """Only a path that is barred takes `rec` in the attic."""
    fleet = Fleet().site("paris").pool("edge", "paris", nodes=2).pool("attic", "paris")
    fleet = fleet.service("ocr", stage("find", "det"), stage("read", "rec"), together=clauses).demand("ocr", "paris")
    fleet = (
        fleet.option("det@edge", "det", "edge").option("rec@edge", "rec", "edge").option("rec@attic", "rec", "attic")
    )
    fleet = fleet.path("near", "ocr@paris", "det@edge", "rec@edge").path("odd", "ocr@paris", "det@edge", "rec@attic")
    return replace(fleet.problem, barred=frozenset({"odd"}))


def standing(read: str) -> Plan:
    """Everything on one node of each site, but for `count`, and `read` where it is said."""
    return plan(
        {
            ("det@edge", "edge-0"): 2,
            ("rec@edge", read): 1,
            ("cnt@edge", "edge-1"): 1,
            ("det@cloud", "cloud-0"): 1,
            ("rec@cloud", "cloud-0"): 1,
        },
        {"asr": 1000, "tts": 1000, "near": 500, "far": 500},
    )


def racked(find: str) -> Plan:
    """`read` in the attic and in the cloud, `find` in the cloud and where it is said."""
    return plan(
        {("det@edge", find): 1, ("rec@attic", "attic-0"): 1, ("det@cloud", "cloud-0"): 1, ("rec@cloud", "cloud-0"): 1},
        {"near": 1000},
    )


EXAMPLES = (
    Example(
        name="each site has the stages on one node, whatever else stands on others",
        problem=problem(ON_A_NODE),
        on_limit=standing("edge-0"),
        over_limit=standing("edge-1"),
        violation=Violation("gathering", "ocr at paris", 2, 1, at(12), "nodes"),
        message="ocr at paris: stages that stay together are spread over 2 nodes, and 1 is asked",
        spared=(problem(), problem(ALONE), problem(IN_A_RACK), problem(IN_A_POOL), problem(ON_A_NODE, paths=False)),
        domain=Domain(counts=(0, 1), shares=(0,)),
    ),
    Example(
        name="each site has the stages in one rack, which pools may share",
        problem=in_racks("a", "b", "b"),
        on_limit=racked("edge-1"),
        over_limit=racked("edge-0"),
        violation=Violation("gathering", "ocr at paris", 2, 1, at(13), "racks"),
        message="ocr at paris: stages that stay together are spread over 2 racks, and 1 is asked",
        spared=(in_racks("a", "b", "a"), in_racks(), in_racks("a", "b", "b", clause=AT_A_SITE)),
        domain=Domain(counts=(0, 1), shares=(0,)),
    ),
    Example(
        name="settings of a placement are gathered alike",
        problem=set_otherwise(ON_A_NODE),
        on_limit=plan({("det@edge", "edge-1"): 1, ("busy", "edge-1"): 1}, {}, {"ocr@paris": 1000}, {"ocr": 1}),
        over_limit=plan({("det@edge", "edge-1"): 1, ("busy", "edge-0"): 1}, {}, {"ocr@paris": 1000}, {"ocr": 1}),
        violation=Violation("gathering", "ocr at paris", 2, 1, at(12), "nodes"),
        message="ocr at paris: stages that stay together are spread over 2 nodes, and 1 is asked",
        spared=(set_otherwise(), set_otherwise(ON_A_NODE, variant="int8")),
        domain=Domain(counts=(0, 1), shares=(0,)),
    ),
    Example(
        name="what only a barred path takes is not gathered",
        problem=with_barred(ON_A_NODE),
        on_limit=plan(
            {("det@edge", "edge-0"): 1, ("rec@edge", "edge-0"): 1, ("rec@attic", "attic-0"): 1}, {"near": 1000}
        ),
        over_limit=plan(
            {("det@edge", "edge-0"): 1, ("rec@edge", "edge-1"): 1, ("rec@attic", "attic-0"): 1}, {"near": 1000}
        ),
        violation=Violation("gathering", "ocr at paris", 2, 1, at(12), "nodes"),
        message="ocr at paris: stages that stay together are spread over 2 nodes, and 1 is asked",
        spared=(with_barred(),),
        domain=Domain(counts=(0, 1), shares=(0,)),
    ),
)
