"""Accuracy: a floor of 90 %; the fp32 variant has exactly that, the int8 variant a millionth less."""

from policy.resolved import AccuracyObjective, UseVariant
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from tests.rules.build import at, plan, stage, two_places
from tests.rules.example import Domain, Example

FLOOR = AccuracyObjective(900_000, at(13))
STANDING = {("fp32", "edge-0"): 1, ("int8", "cloud-0"): 1}


def problem(floor: AccuracyObjective | None, *degrade: UseVariant, best_ppm: int = 900_000) -> Problem:
    fleet = two_places().service("ocr", stage("read", "rec"), accuracy=floor, degrade=degrade).demand("ocr", "paris")
    fleet = fleet.option("fp32", "rec", "edge", variant="fp32", accuracy_ppm=best_ppm)
    fleet = fleet.option("int8", "rec", "cloud", variant="int8", accuracy_ppm=899_999)
    return fleet.path("near", "ocr@paris", "fp32").path("far", "ocr@paris", "int8").problem


def example(name: str, *degrade: UseVariant, best_ppm: int = 900_000) -> Example:
    return Example(
        name=name,
        problem=problem(FLOOR, *degrade, best_ppm=best_ppm),
        on_limit=plan(STANDING, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("accuracy", "stage read of ocr@paris on int8", 899_999, 900_000, at(13)),
        message="stage read of ocr@paris on int8: accuracy is 89.9999 %; the floor is 90 %",
        spared=(problem(None), problem(FLOOR, UseVariant("rec", "int8", at(14)))),
        reasons=("accuracy 89.9999 % is below the floor of 90 %",),
        domain=Domain(counts=(1,)),
    )


EXAMPLES = (
    example("a variant may be exactly as accurate as the floor"),
    example("a variant may be more accurate than the floor", best_ppm=900_001),
    example(
        "a degrade step exempts its own variant of its own model only",
        UseVariant("rec", "fp16", at(14)),
        UseVariant("det", "int8", at(15)),
        UseVariant("vad", "int8", at(16)),
    ),
)
