"""Unit cost: two thousand requests for at most 5 millicents.

`edge` costs 3600 millicents an hour; the option there takes a quarter of its memory and a tenth of its compute, and
answers 100 calls a second: 3600 / 4 / 360,000 = 0.0025 millicents a call, 5 exactly for 2000. On `cloud` an instance
takes 251 of 1000 permille of the compute: 5.02, which is 6 once it is rounded up.
"""

from dataclasses import replace

from policy.resolved import CostObjective
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, plan, stage
from tests.rules.example import Domain, Example

STANDING = {("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}


def fleet(**clauses: object) -> Fleet:
    places = Fleet().site("paris", "FR").site("lyon", "FR").link("lyon", "paris")
    places = places.pool("edge", "paris", line=31, price_millicents_per_hour=3600)
    places = places.pool("cloud", "lyon", line=32, price_millicents_per_hour=3600)
    return places.service("ocr", stage("read", "rec"), **clauses).demand("ocr", "paris")


def problem(below: int, requests: int, cloud_permille: int = 251) -> Problem:
    made = fleet(cost=CostObjective(below, requests, at(11)))
    speed = {"capacity_milli_rps": 100_000}
    made = made.option("rec@edge", "rec", "edge", memory_mib=250, share_permille=100, **speed)
    made = made.option("rec@cloud", "rec", "cloud", memory_mib=10, share_permille=cloud_permille, **speed)
    return made.path("near", "ocr@paris", "rec@edge").path("far", "ocr@paris", "rec@cloud").problem


def twice(below: int, requests: int, second_permille: int) -> Problem:
    """Two stages, the first of two calls: 2 x 0.0025 and once the second's."""
    places = Fleet().site("paris", "FR").pool("edge", "paris", price_millicents_per_hour=3600)
    places = places.pool("cloud", "paris", price_millicents_per_hour=7200, share_permille=500)
    made = places.service(
        "ocr", stage("find", "det", 2), stage("read", "rec"), cost=CostObjective(below, requests, at(11))
    ).demand("ocr", "paris")
    speed = {"capacity_milli_rps": 100_000}
    made = made.option("det@edge", "det", "edge", memory_mib=250, share_permille=250, **speed)
    made = made.option("rec@edge", "rec", "edge", memory_mib=500, share_permille=1, **speed)
    made = made.option("rec@cloud", "rec", "cloud", memory_mib=1, share_permille=second_permille, **speed)
    return (
        made.path("near", "ocr@paris", "det@edge", "rec@edge").path("far", "ocr@paris", "det@edge", "rec@cloud").problem
    )


def slow(far_mib: int, far_milli_rps: int = 1, below: int = 250) -> Problem:
    """An instance answers 3.6 calls an hour, a quarter of the node for 250 millicents each; `far` takes a bit more."""
    places = Fleet().site("paris", "FR").site("lyon", "FR").link("lyon", "paris")
    places = places.pool("edge", "paris", price_millicents_per_hour=3600, memory_mib=1_000_000)
    places = places.pool("cloud", "lyon", price_millicents_per_hour=3600, memory_mib=1_000_000)
    made = places.service("ocr", stage("read", "rec"), cost=CostObjective(below, 1, at(11))).demand("ocr", "paris", 1)
    made = made.option("rec@edge", "rec", "edge", memory_mib=250_000, capacity_milli_rps=1)
    made = made.option("rec@cloud", "rec", "cloud", memory_mib=far_mib, capacity_milli_rps=far_milli_rps)
    return made.path("near", "ocr@paris", "rec@edge").path("far", "ocr@paris", "rec@cloud").problem


def sent(below: int, requests: int = 1, *, far: str = "lyon", cloud: str = "") -> Problem:
    """Nodes for nothing; three calls of a request take 512 KiB each to another site, for 3413 millicents a GiB."""
    prices = {"paris": 3413, far: 90_000}
    places = Fleet().site("paris", "FR").site(far, "FR").link(far, "paris", **prices)
    places = places.pool("edge", "paris").pool("cloud", cloud or far)
    called = replace(stage("read", "rec", 3), payload_bytes=512 * 1024)
    made = places.service("ocr", called, cost=CostObjective(below, requests, at(11))).demand("ocr", "paris")
    made = made.option("rec@edge", "rec", "edge").option("rec@cloud", "rec", "cloud")
    return made.path("near", "ocr@paris", "rec@edge").path("far", "ocr@paris", "rec@cloud").problem


EXAMPLES = (
    Example(
        name="an instance costs the part of its node that it takes of memory or compute, whichever is more",
        problem=problem(5, 2000),
        on_limit=plan(STANDING, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("unit_cost", "far", 6, 5, at(11), "2000 requests"),
        message="path far: its machines and links cost $0.00006 for 2000 requests; the objective is $0.00005",
        spared=(fleet().problem, problem(5, 2000, 250), problem(6, 2000)),
        reasons=("its machines and links cost $0.00006 for 2000 requests; the objective is $0.00005",),
        domain=Domain(counts=(1,)),
    ),
    Example(
        name="the stages of a path add up, each as often as it is called",
        problem=twice(10, 1000, 126),
        on_limit=plan({("det@edge", "edge-0"): 1, ("rec@edge", "edge-0"): 1}, {"near": 1000}),
        over_limit=plan(
            {("det@edge", "edge-0"): 1, ("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}, {"near": 999, "far": 1}
        ),
        violation=Violation("unit_cost", "far", 11, 10, at(11), "1000 requests"),
        message="path far: its machines and links cost $0.00011 for 1000 requests; the objective is $0.0001",
        spared=(twice(10, 1000, 125), twice(11, 1000, 126), twice(10, 990, 126)),
        reasons=("its machines and links cost $0.00011 for 1000 requests; the objective is $0.0001",),
        domain=Domain(counts=(1,)),
    ),
    Example(
        name="a millionth of a node too much is too much",
        problem=slow(250_001),
        on_limit=plan(STANDING, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("unit_cost", "far", 251, 250, at(11), "1 request"),
        message="path far: its machines and links cost $0.00251 for 1 request; the objective is $0.0025",
        spared=(slow(250_000), slow(250_001, below=251), slow(250_000, far_milli_rps=0)),
        reasons=("its machines and links cost $0.00251 for 1 request; the objective is $0.0025",),
        domain=Domain(counts=(1,)),
    ),
    Example(
        name="what leaves the origin's site over a link costs as well: 4.9995 millicents, which is 5",
        problem=sent(4),
        on_limit=plan(STANDING, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("unit_cost", "far", 5, 4, at(11), "1 request"),
        message="path far: its machines and links cost $0.00005 for 1 request; the objective is $0.00004",
        spared=(sent(5), sent(499_952, 100_000), sent(4, cloud="paris")),
        reasons=("its machines and links cost $0.00005 for 1 request; the objective is $0.00004",),
        domain=Domain(counts=(1,)),
    ),
    Example(
        name="whichever way round its ends are named",
        problem=sent(4, far="york"),
        on_limit=plan(STANDING, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("unit_cost", "far", 5, 4, at(11), "1 request"),
        message="path far: its machines and links cost $0.00005 for 1 request; the objective is $0.00004",
        spared=(sent(5, far="york"), sent(4, cloud="paris")),
        reasons=("its machines and links cost $0.00005 for 1 request; the objective is $0.00004",),
        domain=Domain(counts=(1,)),
    ),
)
