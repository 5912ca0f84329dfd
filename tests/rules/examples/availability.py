"""Availability: by site, rack and node, on two sites of which one has two nodes, and an option that no path takes."""

from dataclasses import replace

from policy.resolved import AvailabilityObjective, Shed
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, plan, stage
from tests.rules.example import Domain, Example


def problem(sites: int, nodes: int, rate_milli_rps: int = 1000, *, paths: bool = True) -> Problem:
    """`asr` and `tts` promise nothing; they use the spare option, which `ocr` cannot."""
    fleet = Fleet().site("paris").site("lyon").pool("edge", "paris").pool("cloud", "lyon", nodes=2)
    fleet = fleet.option("rec@edge", "rec", "edge").option("rec@cloud", "rec", "cloud")
    fleet = fleet.option("spare", "rec", "edge", variant="int8")
    for name in ("asr", "tts"):
        fleet = fleet.service(name, stage("read", "rec")).demand(name, "paris").path(name, f"{name}@paris", "spare")
    objective = AvailabilityObjective(sites, nodes, at(14))
    fleet = fleet.service("ocr", stage("read", "rec"), availability=objective, degrade=(Shed(100, at(15)),))
    fleet = fleet.demand("ocr", "paris", rate_milli_rps)
    if not paths:
        return fleet.problem
    return fleet.path("near", "ocr@paris", "rec@edge").path("far", "ocr@paris", "rec@cloud").problem


def in_racks(least: int, *racks: str, edge_site: str = "paris") -> Problem:
    """The pool `edge` stands in the rack `a` of its site where the nodes of the other have racks."""
    fleet = Fleet().site("paris").site("lyon").pool("edge", edge_site).pool("cloud", "lyon", nodes=2)
    fleet = fleet.option("rec@edge", "rec", "edge").option("rec@cloud", "rec", "cloud")
    fleet = fleet.option("spare", "rec", "edge", variant="int8")
    for name in ("asr", "tts"):
        fleet = fleet.service(name, stage("read", "rec")).demand(name, "paris").path(name, f"{name}@paris", "spare")
    objective = AvailabilityObjective(1, 2, at(14), racks=least)
    fleet = fleet.service("ocr", stage("read", "rec"), availability=objective).demand("ocr", "paris")
    fleet = fleet.path("near", "ocr@paris", "rec@edge").path("far", "ocr@paris", "rec@cloud")
    edge, cloud = fleet.problem.policy.pools
    pools = (replace(edge, racks=("a",) if racks else ()), replace(cloud, racks=racks))
    return replace(fleet.problem, policy=replace(fleet.problem.policy, pools=pools))


def standing(edge: int, cloud_0: int, cloud_1: int, level: int = 0) -> Plan:
    route = "near" if edge else "far"
    return plan(
        {("rec@edge", "edge-0"): edge, ("rec@cloud", "cloud-0"): cloud_0, ("rec@cloud", "cloud-1"): cloud_1}
        | {("spare", "edge-0"): 1},
        {"asr": 1000, "tts": 1000, route: 1000},
        {},
        {"ocr": level},
    )


NOT_ASKED = (problem(2, 2, rate_milli_rps=0), problem(2, 2, paths=False))

EXAMPLES = (
    Example(
        name="a stage stands at no fewer sites than asked",
        problem=problem(2, 2),
        on_limit=standing(1, 0, 1),
        over_limit=standing(0, 1, 1),
        violation=Violation("availability", "stage read of ocr", 1, 2, at(14), "sites"),
        message="stage read of ocr stands on 1 of the 2 sites that the objective asks for",
        spared=(*NOT_ASKED, problem(1, 2)),
        domain=Domain(counts=(0, 1), shares=(0,)),
    ),
    Example(
        name="a stage stands on no fewer nodes than asked",
        problem=problem(1, 2),
        on_limit=standing(0, 1, 1),
        over_limit=standing(0, 2, 0),
        violation=Violation("availability", "stage read of ocr", 1, 2, at(14), "nodes"),
        message="stage read of ocr stands on 1 of the 2 nodes that the objective asks for",
        spared=(*NOT_ASKED, problem(1, 1)),
        domain=Domain(counts=(0, 2), shares=(0,)),
    ),
    Example(
        name="more nodes than a site has take another site",
        problem=problem(1, 3),
        on_limit=standing(1, 1, 1),
        over_limit=standing(2, 1, 0),
        violation=Violation("availability", "stage read of ocr", 2, 3, at(14), "nodes"),
        message="stage read of ocr stands on 2 of the 3 nodes that the objective asks for",
        spared=(*NOT_ASKED, problem(1, 2)),
        domain=Domain(counts=(0, 1), shares=(0,)),
    ),
    Example(
        name="a stage stands in no fewer racks than asked, of which two sites may have one of the same name",
        problem=in_racks(2, "a"),
        on_limit=standing(1, 0, 1),
        over_limit=standing(0, 1, 1),
        violation=Violation("availability", "stage read of ocr", 1, 2, at(14), "racks"),
        message="stage read of ocr stands on 1 of the 2 racks that the objective asks for",
        spared=(in_racks(1, "a"), in_racks(2, "a", "b")),
        domain=Domain(counts=(0, 1), shares=(0,)),
    ),
    Example(
        name="a rack is the same for all pools of its site",
        problem=in_racks(2, "a", "b", edge_site="lyon"),
        on_limit=standing(1, 0, 1),
        over_limit=standing(1, 1, 0),
        violation=Violation("availability", "stage read of ocr", 1, 2, at(14), "racks"),
        message="stage read of ocr stands on 1 of the 2 racks that the objective asks for",
        spared=(in_racks(2, "c", "b", edge_site="lyon"),),
        domain=Domain(counts=(0, 1), shares=(0,)),
    ),
    Example(
        name="where no racks are named a site counts as one",
        problem=in_racks(2),
        on_limit=standing(1, 0, 1),
        over_limit=standing(0, 1, 1),
        violation=Violation("availability", "stage read of ocr", 1, 2, at(14), "racks"),
        message="stage read of ocr stands on 1 of the 2 racks that the objective asks for",
        spared=(in_racks(1),),
        domain=Domain(counts=(0, 1), shares=(0,)),
    ),
    Example(
        name="at best effort it is not promised, a level below it is",
        problem=problem(2, 2),
        on_limit=standing(0, 1, 1, level=2),
        over_limit=standing(0, 1, 1, level=1),
        violation=Violation("availability", "stage read of ocr", 1, 2, at(14), "sites"),
        message="stage read of ocr stands on 1 of the 2 sites that the objective asks for",
        spared=(problem(1, 2),),
        domain=Domain(counts=(0, 1), shares=(0,), levels=(0, 1, 2)),
        beside=("degrade",),
    ),
)
