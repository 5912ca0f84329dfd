"""Degrade: shed 20 %, then use int8 at home, then shed 30 % more, then 60 % more; at last give up."""

from policy.resolved import DegradeStep, Shed, UseVariant
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import NOTHING, at, plan, stage, two_places
from tests.rules.example import Domain, Example

ORDER = (Shed(200, at(15)), UseVariant("rec", "int8", at(16)), Shed(300, at(17)), Shed(600, at(18)))
STANDING = {("rec", "edge-0"): 1, ("int8", "edge-0"): 1}


def problem(*degrade: DegradeStep) -> Problem:
    fleet = two_places().service("ocr", stage("read", "rec"), degrade=degrade).demand("ocr", "paris")
    fleet = fleet.option("rec", "rec", "edge").option("int8", "rec", "edge", variant="int8")
    return fleet.path("full", "ocr@paris", "rec").path("light", "ocr@paris", "int8").problem


def two_stages() -> Problem:
    """Both stages have a lighter variant; the path needs the later of the two steps."""
    steps = (UseVariant("rec", "int8", at(15)), UseVariant("det", "int8", at(16)), UseVariant("rec", "int8", at(17)))
    fleet = two_places().service("ocr", stage("find", "det"), stage("read", "rec"), degrade=steps)
    fleet = fleet.demand("ocr", "paris").option("det", "det", "edge", variant="int8")
    fleet = fleet.option("rec", "rec", "edge", variant="int8")
    return fleet.path("light", "ocr@paris", "det", "rec").problem


def three_services() -> Problem:
    """Only `ocr` has an order; the services before and after it in the alphabet use int8 as they like."""
    fleet = two_places().option("int8", "rec", "edge", variant="int8")
    for name, degrade in (("asr", ()), ("ocr", (UseVariant("rec", "int8", at(16)),)), ("tts", ())):
        fleet = fleet.service(name, stage("read", "rec"), degrade=degrade).demand(name, "paris")
        fleet = fleet.path(f"{name}>int8", f"{name}@paris", "int8")
    return fleet.problem


def shed(name: str, level: int, most: int) -> Example:
    """A case in which `most` may be refused at a level, and a permille more may not."""
    percent = most // 10
    return Example(
        name=name,
        problem=problem(*ORDER),
        on_limit=plan(STANDING, {"full": 1000 - most}, {"ocr@paris": most}, {"ocr": level}),
        over_limit=plan(STANDING, {"full": 999 - most}, {"ocr@paris": most + 1}, {"ocr": level}),
        violation=Violation("degrade", "ocr@paris", most + 1, most, at(10), "unserved"),
        message=f"{percent}.1 % of ocr@paris would go unserved; the steps taken allow {percent} %",
        spared=(NOTHING,),
        domain=Domain(
            counts=(1,), shares=(0, 1), refused=(0, 1, 200, 201, 500, 501, 1000), levels=(-1, 0, 1, 2, 3, 4, 5, 6)
        ),
    )


def level(name: str, degrade: tuple[DegradeStep, ...], asked: int, limit: int) -> Example:
    """A case in which a level that does not exist is one beyond the nearest that does."""
    return Example(
        name=name,
        problem=problem(*degrade),
        on_limit=plan(STANDING, {"full": 1000}, {}, {"ocr": limit}),
        over_limit=plan(STANDING, {"full": 1000}, {}, {"ocr": asked}),
        violation=Violation("degrade", "ocr", asked, limit, at(10), "level"),
        message=f"ocr is at degrade level {asked}; the nearest that it has is {limit}",
        spared=(NOTHING,),
        domain=Domain(counts=(1,), shares=(0, 1000), refused=(0, 1, 1000), levels=(-1, 0, 1, 2, 3)),
    )


EXAMPLES = (
    shed("nothing is refused before a step is taken", 0, 0),
    shed("a step allows its share", 1, 200),
    shed("a step that is no shedding allows no more", 2, 200),
    shed("steps add up", 3, 500),
    Example(
        name="a variant serves once its step is taken",
        problem=problem(*ORDER),
        on_limit=plan(STANDING, {"full": 1, "light": 999}, {}, {"ocr": 2}),
        over_limit=plan(STANDING, {"full": 999, "light": 1}, {}, {"ocr": 1}),
        violation=Violation("degrade", "light", 2, 1, at(16), "step"),
        message="light is in use from degrade level 2 on; its service is at level 1",
        spared=(NOTHING, problem(UseVariant("rec", "int8", at(16))), problem(UseVariant("rec", "fp16", at(16)))),
        domain=Domain(counts=(1,), shares=(0, 1000), refused=(0,), levels=(0, 1, 2, 3)),
    ),
    Example(
        name="a path of two stages waits for the later step",
        problem=two_stages(),
        on_limit=plan({("det", "edge-0"): 1, ("rec", "edge-0"): 1}, {"light": 1000}, {}, {"ocr": 2}),
        over_limit=plan({("det", "edge-0"): 1, ("rec", "edge-0"): 1}, {"light": 1000}, {}, {"ocr": 1}),
        violation=Violation("degrade", "light", 2, 1, at(16), "step"),
        message="light is in use from degrade level 2 on; its service is at level 1",
        spared=(NOTHING,),
        domain=Domain(counts=(1,), shares=(0, 1000), refused=(0, 1000), levels=(0, 1, 2, 3, 4)),
    ),
    Example(
        name="a service answers for its own demands and paths only",
        problem=three_services(),
        on_limit=plan(
            {("int8", "edge-0"): 1},
            {"asr>int8": 1000, "ocr>int8": 1000},
            {"tts@paris": 1000},
            {"ocr": 1, "tts": 1},
        ),
        over_limit=plan(
            {("int8", "edge-0"): 1},
            {"ocr>int8": 1000, "tts>int8": 1000},
            {"asr@paris": 1000},
            {"asr": 1, "ocr": 0},
        ),
        violation=Violation("degrade", "ocr>int8", 1, 0, at(16), "step"),
        message="ocr>int8 is in use from degrade level 1 on; its service is at level 0",
        spared=(NOTHING,),
        domain=Domain(counts=(1,), shares=(0, 1000), refused=(0, 1000), levels=(0, 1)),
    ),
    level("an empty order leaves only giving up", (), 2, 1),
    level("giving up is one level more than there are steps", (Shed(200, at(15)),), 3, 2),
    level("no level is below 0", (Shed(200, at(15)),), -1, 0),
)
