"""Survival: calls of 3 a second and instances of 1.5, in Paris, in Lyon and now and then in Nice, which may be lost."""

from policy.resolved import AvailabilityObjective, Shed, UseVariant
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, plan, stage
from tests.rules.example import Domain, Example

SURVIVES = AvailabilityObjective(1, 1, at(14), survives_any_site=True)
DIES = AvailabilityObjective(1, 1, at(14))


def places(*names: str) -> Fleet:
    """A pool and an option of `rec` in each of these sites, all by the site's name."""
    fleet = Fleet()
    for name in names:
        fleet = fleet.site(name).pool(name, name).option(f"rec@{name}", "rec", name, capacity_milli_rps=1500)
    return fleet


def asked(fleet: Fleet, service: str, origin: str, *names: str, rate_milli_rps: int = 3000) -> Fleet:
    """Requests of a service of one stage that may go to these sites."""
    fleet = fleet.demand(service, origin, rate_milli_rps)
    for name in names:
        fleet = fleet.path(f"{service}@{origin} to {name}", f"{service}@{origin}", f"rec@{name}")
    return fleet


def two(objective: AvailabilityObjective, rate_milli_rps: int = 3000, *, elsewhere: bool = True) -> Problem:
    fleet = places("paris", "lyon")
    fleet = fleet.service("ocr", stage("read", "rec"), availability=objective, degrade=(Shed(1000, at(15)),))
    names = ("paris", "lyon") if elsewhere else ("paris",)
    return asked(fleet, "ocr", "paris", *names, rate_milli_rps=rate_milli_rps).problem


def standing(paris: int, lyon: int, shares: tuple[int, int], level: int = 0) -> Plan:
    return plan(
        {("rec@paris", "paris-0"): paris, ("rec@lyon", "lyon-0"): lyon},
        {"ocr@paris to paris": shares[0], "ocr@paris to lyon": shares[1]},
        {},
        {"ocr": level},
    )


def alone(share: int) -> Plan:
    refused = {"ocr@paris": 1000 - share}
    return plan({("rec@paris", "paris-0"): 2}, {"ocr@paris to paris": share}, refused, {"ocr": 1})


def beside(objective: AvailabilityObjective, others: AvailabilityObjective | None = None) -> Problem:
    """`asr` asks for 1.5 calls a second in Lyon or in Paris."""
    fleet = places("paris", "lyon").service("ocr", stage("read", "rec"), availability=objective)
    fleet = fleet.service("asr", stage("hear", "rec"), availability=others)
    fleet = asked(fleet, "ocr", "paris", "paris", "lyon", rate_milli_rps=1500)
    return asked(fleet, "asr", "lyon", "lyon", "paris", rate_milli_rps=1500).problem


def both(paris: int, lyon: int, asr_in_lyon: int, levels: dict[str, int] | None = None) -> Plan:
    """Requests of `ocr` in Paris, and of `asr` in Lyon or, the others, in Paris."""
    return plan(
        {("rec@paris", "paris-0"): paris, ("rec@lyon", "lyon-0"): lyon},
        {"ocr@paris to paris": 1000, "asr@lyon to lyon": asr_in_lyon, "asr@lyon to paris": 1000 - asr_in_lyon},
        {},
        levels,
    )


def crossing(objective: AvailabilityObjective) -> Problem:
    """What Paris serves for Paris may go to Lyon alone; for Nice, to Lyon or to Nice."""
    fleet = places("paris", "lyon", "nice").service("ocr", stage("read", "rec"), availability=objective)
    fleet = asked(fleet, "ocr", "nice", "paris", "lyon", "nice", rate_milli_rps=1500)
    return asked(fleet, "ocr", "paris", "paris", "lyon", rate_milli_rps=1500).problem


def crossed(lyon: int, nice: int) -> Plan:
    return plan(
        {("rec@paris", "paris-0"): 2, ("rec@lyon", "lyon-0"): lyon, ("rec@nice", "nice-0"): nice},
        {"ocr@nice to paris": 1000, "ocr@paris to paris": 1000},
    )


def lighter(objective: AvailabilityObjective) -> Problem:
    """In Lyon only a variant answers that comes with the first step of the degrade order, and in Nice the usual one."""
    fleet = places("paris", "nice").site("lyon").pool("lyon", "lyon")
    fleet = fleet.option("int8@lyon", "rec", "lyon", variant="int8", capacity_milli_rps=3000)
    fleet = fleet.option("int8@paris", "rec", "paris", variant="int8", capacity_milli_rps=3000)
    steps = (UseVariant("rec", "int8", at(15)), Shed(100, at(16)))
    fleet = fleet.service("ocr", stage("read", "rec"), availability=objective, degrade=steps)
    fleet = asked(fleet, "ocr", "paris", "paris", "nice")
    return fleet.path("light", "ocr@paris", "int8@lyon").path("light here", "ocr@paris", "int8@paris").problem


def light(usual: int, level: int, nice: int = 0, lyon: int = 1) -> Plan:
    """Requests of the usual variant in Paris and, the others, of the lighter one there."""
    instances = {("rec@paris", "paris-0"): 2, ("int8@paris", "paris-0"): 1, ("int8@lyon", "lyon-0"): lyon}
    return plan(
        {**instances, ("rec@nice", "nice-0"): nice},
        {"ocr@paris to paris": usual, "light here": 1000 - usual},
        {},
        {"ocr": level},
    )


def piped(objective: AvailabilityObjective, *, freely: bool) -> Problem:
    """Two stages in Paris, the second called twice; beside it one option a stage in Lyon, and one in Nice."""
    fleet = Fleet()
    for name in ("paris", "lyon", "nice"):
        fleet = fleet.site(name).pool(name, name)
        fleet = fleet.option(f"det@{name}", "det", name, capacity_milli_rps=1000)
        fleet = fleet.option(f"rec@{name}", "rec", name, capacity_milli_rps=2000)
    fleet = fleet.service("ocr", stage("find", "det"), stage("read", "rec", fanout=2), availability=objective)
    fleet = fleet.demand("ocr", "paris", 1000)
    for first, second in (("paris", "paris"), ("lyon", "lyon"), ("nice", "nice")):
        fleet = fleet.path(f"{first}, {second}", "ocr@paris", f"det@{first}", f"rec@{second}")
    if freely:
        for first, second in (("lyon", "nice"), ("nice", "lyon")):
            fleet = fleet.path(f"{first}, {second}", "ocr@paris", f"det@{first}", f"rec@{second}")
    return fleet.problem


def priced(objective: AvailabilityObjective) -> Problem:
    """Two stages in Paris, both in Lyon or both in Nice: a call costs three parts of a node in Lyon, two in Nice."""
    fleet = Fleet()
    for name, capacity_milli_rps, price in (("paris", 1, 0), ("lyon", 1, 3), ("nice", 2, 4)):
        fleet = fleet.site(name).pool(name, name, price_millicents_per_hour=price)
        for model in ("det", "rec"):
            fleet = fleet.option(f"{model}@{name}", model, name, capacity_milli_rps=capacity_milli_rps)
    fleet = fleet.service("ocr", stage("find", "det"), stage("read", "rec"), availability=objective)
    fleet = fleet.demand("ocr", "paris", 1)
    for name in ("paris", "lyon", "nice"):
        fleet = fleet.path(f"{name}, {name}", "ocr@paris", f"det@{name}", f"rec@{name}")
    return fleet.problem


def pipe(*elsewhere: str) -> Plan:
    names = ("det@paris", "rec@paris", *elsewhere)
    return plan({(name, f"{name.partition('@')[2]}-0"): 1 for name in names}, {"paris, paris": 1000})


def exact(objective: AvailabilityObjective) -> Problem:
    """A permille of the requests brings 1001 millionths of a call a second; an instance in Lyon is given 1000."""
    fleet = places("paris").site("lyon").pool("lyon", "lyon").option("rec@lyon", "rec", "lyon", capacity_milli_rps=1)
    fleet = fleet.service("ocr", stage("read", "rec"), availability=objective, degrade=(Shed(1000, at(15)),))
    return asked(fleet, "ocr", "paris", "paris", "lyon", rate_milli_rps=1001).problem


def little(lyon: int) -> Plan:
    """A permille in Paris; the others are refused."""
    instances = {("rec@paris", "paris-0"): 1, ("rec@lyon", "lyon-0"): lyon}
    return plan(instances, {"ocr@paris to paris": 1}, {"ocr@paris": 999}, {"ocr": 1})


BESIDE = ("capacity",)
EXAMPLES = (
    Example(
        name="what a site serves has room at another",
        problem=two(SURVIVES),
        on_limit=standing(2, 2, (1000, 0)),
        over_limit=standing(2, 1, (1000, 0)),
        violation=Violation("survival", "ocr without paris", 1_500_000, 3_000_000, at(14)),
        message="ocr without paris has room elsewhere for 1.5 calls/s of the 3 calls/s that the site serves",
        spared=(two(DIES), two(SURVIVES, rate_milli_rps=0)),
        beside=BESIDE,
    ),
    Example(
        name="to the millionth of a call",
        problem=exact(SURVIVES),
        on_limit=little(2),
        over_limit=little(1),
        violation=Violation("survival", "ocr without paris", 1000, 1001, at(14)),
        message="ocr without paris has room elsewhere for 0.001 calls/s of the 0.001001 calls/s that the site serves",
        spared=(exact(DIES),),
        domain=Domain(shares=(0, 1), refused=(999,), levels=(1,)),
        beside=(*BESIDE, "degrade"),
    ),
    Example(
        name="beside what is served there anyway",
        problem=two(SURVIVES),
        on_limit=standing(2, 2, (500, 500)),
        over_limit=standing(1, 2, (500, 500)),
        violation=Violation("survival", "ocr without lyon", 0, 1_500_000, at(14)),
        message="ocr without lyon has room elsewhere for 0 calls/s of the 1.5 calls/s that the site serves",
        spared=(two(DIES),),
        beside=BESIDE,
    ),
    Example(
        name="what may go nowhere else may not be served",
        problem=two(SURVIVES, elsewhere=False),
        on_limit=alone(0),
        over_limit=alone(1000),
        violation=Violation("survival", "ocr without paris", 0, 3_000_000, at(14)),
        message="ocr without paris has room elsewhere for 0 calls/s of the 3 calls/s that the site serves",
        spared=(two(DIES, elsewhere=False),),
        domain=Domain(counts=(0, 2), refused=(0, 1000), levels=(0, 1, 2)),
        beside=(*BESIDE, "degrade"),
    ),
    Example(
        name="at best effort it is not promised",
        problem=two(SURVIVES),
        on_limit=standing(2, 1, (1000, 0), level=2),
        over_limit=standing(2, 1, (1000, 0), level=1),
        violation=Violation("survival", "ocr without paris", 1_500_000, 3_000_000, at(14)),
        message="ocr without paris has room elsewhere for 1.5 calls/s of the 3 calls/s that the site serves",
        spared=(two(DIES),),
        domain=Domain(counts=(0, 2), shares=(0, 1000), levels=(0, 1, 2)),
        beside=(*BESIDE, "degrade"),
    ),
    Example(
        name="others that do not ask stay where they are, and what they lose is theirs",
        problem=beside(SURVIVES),
        on_limit=both(2, 2, 1000),
        over_limit=both(2, 1, 1000),
        violation=Violation("survival", "ocr without paris", 0, 1_500_000, at(14)),
        message="ocr without paris has room elsewhere for 0 calls/s of the 1.5 calls/s that the site serves",
        spared=(beside(DIES, DIES),),
        domain=Domain(counts=(0, 1, 2), shares=(0, 1000)),
        beside=BESIDE,
    ),
    Example(
        name="those that ask as well need room together, unless one of them is at best effort",
        problem=beside(SURVIVES, SURVIVES),
        on_limit=both(2, 1, 0, {"asr": 1}),
        over_limit=both(2, 1, 0),
        violation=Violation("survival", "ocr without paris", 0, 1_500_000, at(14)),
        message="ocr without paris has room elsewhere for 0 calls/s of the 1.5 calls/s that the site serves",
        spared=(beside(SURVIVES),),
        domain=Domain(shares=(0, 1000), levels=(0, 1)),
        beside=(*BESIDE, "degrade"),
    ),
    Example(
        name="calls that may go to few options are not in the way of those that may go to others as well",
        problem=crossing(SURVIVES),
        on_limit=crossed(1, 1),
        over_limit=crossed(0, 2),
        violation=Violation("survival", "ocr without paris", 1_500_000, 3_000_000, at(14)),
        message="ocr without paris has room elsewhere for 1.5 calls/s of the 3 calls/s that the site serves",
        spared=(crossing(DIES),),
        domain=Domain(counts=(0, 1), shares=(0, 1000)),
        beside=BESIDE,
    ),
    Example(
        name="nobody moves to what only a later degrade step allows",
        problem=lighter(SURVIVES),
        on_limit=light(0, 1),
        over_limit=light(1000, 1),
        violation=Violation("survival", "ocr without paris", 0, 3_000_000, at(14)),
        message="ocr without paris has room elsewhere for 0 calls/s of the 3 calls/s that the site serves",
        spared=(lighter(DIES),),
        domain=Domain(counts=(0, 2), shares=(0, 1000), levels=(0, 1, 2, 3)),
        beside=(*BESIDE, "degrade"),
    ),
    Example(
        name="who has the lighter variant may move to the usual one",
        problem=lighter(SURVIVES),
        on_limit=light(0, 1, nice=2, lyon=0),
        over_limit=light(0, 1, nice=1, lyon=0),
        violation=Violation("survival", "ocr without paris", 1_500_000, 3_000_000, at(14)),
        message="ocr without paris has room elsewhere for 1.5 calls/s of the 3 calls/s that the site serves",
        spared=(lighter(DIES),),
        domain=Domain(counts=(0, 2), shares=(0, 1000), levels=(1,)),
        beside=(*BESIDE, "degrade"),
    ),
    Example(
        name="each stage has room for all of its calls",
        problem=piped(SURVIVES, freely=True),
        on_limit=pipe("det@lyon", "rec@nice"),
        over_limit=pipe("det@lyon", "det@nice"),
        violation=Violation("survival", "ocr without paris", 1_000_000, 3_000_000, at(14)),
        message="ocr without paris has room elsewhere for 1 calls/s of the 3 calls/s that the site serves",
        spared=(piped(DIES, freely=True),),
        domain=Domain(counts=(0, 1), shares=(0, 1000)),
        beside=BESIDE,
    ),
    Example(
        name="and where stages do not combine freely, on options that do",
        problem=piped(SURVIVES, freely=False),
        on_limit=pipe("det@lyon", "rec@lyon"),
        over_limit=pipe("det@lyon", "rec@nice"),
        violation=Violation("survival", "ocr without paris", 1_000_000, 3_000_000, at(14)),
        message="ocr without paris has room elsewhere for 1 calls/s of the 3 calls/s that the site serves",
        spared=(piped(DIES, freely=False),),
        domain=Domain(counts=(0, 1), shares=(0, 1000)),
        beside=BESIDE,
    ),
    Example(
        name="on those of the cheapest path, by what its calls take of nodes",
        problem=priced(SURVIVES),
        on_limit=pipe("det@nice", "rec@nice"),
        over_limit=pipe("det@lyon", "rec@lyon"),
        violation=Violation("survival", "ocr without paris", 0, 2000, at(14)),
        message="ocr without paris has room elsewhere for 0 calls/s of the 0.002 calls/s that the site serves",
        spared=(priced(DIES),),
        domain=Domain(counts=(0, 1), shares=(0, 1000)),
        beside=BESIDE,
    ),
)
