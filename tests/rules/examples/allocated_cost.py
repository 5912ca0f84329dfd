"""Allocated cost: a request a second, 3600 an hour, costs 0.0025 millicents at the edge: 9 an hour.

`edge` costs 3600 millicents an hour; the option there takes a quarter of its memory and a tenth of its compute, and
answers 100 calls a second: 3600 / 4 / 360,000 = 0.0025 millicents a call. On `cloud` an instance takes a hundredth of
the memory and half of the compute, 0.005 a call or 18 an hour; and 512 KiB leave for it with each, 1.7578125 GiB an
hour: with 4 millicents a GiB 7.03125 more, 26 in all once it is rounded up.
"""

from dataclasses import replace

from policy.resolved import Ceiling
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, plan, stage
from tests.rules.example import Domain, Example

STANDING = {("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}


def problem(*ceilings: Ceiling, way: int = 4, cloud: str = "", fanout: int = 1, far: str = "lyon") -> Problem:
    prices = {"paris": way, far: 90_000}
    places = Fleet().site("paris").site(far).link("paris", far, **prices)
    places = places.pool("edge", "paris", price_millicents_per_hour=3600)
    places = places.pool("cloud", cloud or far, price_millicents_per_hour=3600)
    read = replace(stage("read", "rec", fanout), payload_bytes=512 * 1024 // fanout)
    made = places.service("ocr", read, team="readers").demand("ocr", "paris").cost(ceilings=ceilings)
    speed = {"capacity_milli_rps": 100_000 * fanout}
    made = made.option("rec@edge", "rec", "edge", memory_mib=250, share_permille=100, **speed)
    made = made.option("rec@cloud", "rec", "cloud", memory_mib=10, share_permille=500, **speed)
    return made.path("near", "ocr@paris", "rec@edge").path("far", "ocr@paris", "rec@cloud").problem


def of_service(millicents: int, name: str = "ocr") -> Ceiling:
    return Ceiling("", millicents, at(81), service=name)


def of_team(millicents: int, name: str = "readers") -> Ceiling:
    return Ceiling("", millicents, at(82), team=name)


def two_services(*ceilings: Ceiling) -> Problem:
    """Another service of the team asks for nine an hour as well, on the same instance."""
    made = problem(*ceilings)
    (service,) = made.policy.services
    second = replace(service, name="index")
    policy = replace(made.policy, services=(service, second))
    demand, path = replace(made.demands[0], id="index@paris", service="index"), made.path("near")
    return replace(
        made,
        policy=policy,
        demands=(*made.demands, demand),
        paths=(*made.paths, path._replace(id="second", demand="index@paris")),
    )


def slow(below: int, milli_rps: int = 1, price: int = 3600) -> Problem:
    """An instance that answers 3.6 calls an hour and takes its whole node: 1000 millicents a call, 3600 an hour."""
    places = Fleet().site("paris").pool("edge", "paris").pool("cloud", "paris", price_millicents_per_hour=price)
    made = places.service("ocr", stage("read", "rec")).demand("ocr", "paris", 1).cost(ceilings=(of_service(below),))
    made = made.option("rec@edge", "rec", "edge")
    made = made.option("rec@cloud", "rec", "cloud", memory_mib=1000, capacity_milli_rps=milli_rps)
    return made.path("near", "ocr@paris", "rec@edge").path("far", "ocr@paris", "rec@cloud").problem


EXAMPLES = (
    Example(
        name="a service costs the parts of nodes that its requests use, and what they cost on their way",
        problem=problem(of_service(17)),
        on_limit=plan(STANDING, {"near": 530, "far": 470}),
        over_limit=plan(STANDING, {"near": 529, "far": 471}),
        violation=Violation("allocated_cost", "service ocr", 18, 17, at(81)),
        message="what requests of service ocr use costs $0.00018/h; the ceiling is $0.00017/h",
        spared=(
            problem(),
            problem(of_service(18)),
            problem(of_service(17), way=0),
            problem(of_service(17), cloud="paris"),
            problem(of_service(17, "index")),
            problem(Ceiling("", 17, at(81))),
        ),
        domain=Domain(counts=(1,), shares=(0, 470, 471, 529, 530, 1000)),
    ),
    Example(
        name="each call of a request counts",
        problem=problem(of_service(17), fanout=2, far="york"),
        on_limit=plan(STANDING, {"near": 530, "far": 470}),
        over_limit=plan(STANDING, {"near": 529, "far": 471}),
        violation=Violation("allocated_cost", "service ocr", 18, 17, at(81)),
        message="what requests of service ocr use costs $0.00018/h; the ceiling is $0.00017/h",
        spared=(problem(fanout=2), problem(of_service(18), fanout=2, far="york")),
        domain=Domain(counts=(1,), shares=(0, 470, 471, 529, 530, 1000)),
    ),
    Example(
        name="a thousandth of a millicent is a part of one",
        problem=problem(of_service(15)),
        on_limit=plan(STANDING, {"near": 648, "far": 352}),
        over_limit=plan(STANDING, {"near": 647, "far": 353}),
        violation=Violation("allocated_cost", "service ocr", 16, 15, at(81)),
        message="what requests of service ocr use costs $0.00016/h; the ceiling is $0.00015/h",
        spared=(problem(), problem(of_service(16))),
        domain=Domain(counts=(1,), shares=(0, 352, 353, 647, 648, 1000)),
    ),
    Example(
        name="what leaves may cost more than the nodes: 900,000 millicents an hour where a GiB costs 512,000",
        problem=problem(of_service(450_014), way=512_000),
        on_limit=plan(STANDING, {"near": 500, "far": 500}),
        over_limit=plan(STANDING, {"near": 499, "far": 501}),
        violation=Violation("allocated_cost", "service ocr", 450_914, 450_014, at(81)),
        message="what requests of service ocr use costs $4.50914/h; the ceiling is $4.50014/h",
        spared=(problem(way=512_000), problem(of_service(450_914), way=512_000), problem(of_service(450_014), way=4)),
        domain=Domain(counts=(1,), shares=(0, 499, 500, 501, 1000)),
    ),
    Example(
        name="the services of a team have one ceiling",
        problem=two_services(of_team(26)),
        on_limit=plan(STANDING, {"near": 530, "far": 470, "second": 1000}),
        over_limit=plan(STANDING, {"near": 529, "far": 471, "second": 1000}),
        violation=Violation("allocated_cost", "team readers", 27, 26, at(82)),
        message="what requests of team readers use costs $0.00027/h; the ceiling is $0.00026/h",
        spared=(
            two_services(),
            two_services(of_team(27)),
            two_services(of_service(26)),
            two_services(of_team(26, "others")),
            two_services(of_team(26, "writers")),
        ),
        domain=Domain(counts=(1,), shares=(0, 470, 471, 1000)),
    ),
    Example(
        name="an instance that hardly answers is dear",
        problem=slow(1800),
        on_limit=plan(STANDING, {"near": 500, "far": 500}),
        over_limit=plan(STANDING, {"near": 499, "far": 501}),
        violation=Violation("allocated_cost", "service ocr", 1804, 1800, at(81)),
        message="what requests of service ocr use costs $0.01804/h; the ceiling is $0.018/h",
        spared=(slow(1804), slow(1800, milli_rps=2), slow(1804, milli_rps=0)),
        domain=Domain(counts=(1,), shares=(0, 499, 500, 501, 1000)),
    ),
    Example(
        name="a path that costs more than is counted carries nothing, however high the ceiling",
        problem=slow(10**15, price=10**11 + 1),
        on_limit=plan(STANDING, {"near": 1000}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("allocated_cost", "requests of service ocr", 10**11 + 1, 10**11, at(81), "a path"),
        message="requests of service ocr take a path that costs $1000000.00001/h with all of them; "
        "under a ceiling no path may cost more than $1000000.00/h",
        spared=(slow(10**15, price=10**11),),
        domain=Domain(counts=(1,), shares=(0, 1, 999, 1000)),
    ),
)
