"""The services of a generated fleet, and what each of them asks for."""

from dataclasses import replace
from typing import Final

import numpy as np
from whole_places import HERE, PLANE_US, Dice, jurisdictions_at

from policy.resolved import (
    AccuracyObjective,
    AvailabilityObjective,
    CostObjective,
    Encoding,
    Fidelity,
    LatencyObjective,
    Model,
    Orchestration,
    Origin,
    PoolsClause,
    ScaleToZero,
    Service,
    Shed,
    Stage,
    TogetherClause,
    UseVariant,
    Within,
)

SPARED_EVERY: Final = 5
"""Of so many services, one has an instance to spare at each stage, where it promises availability at all."""
SURVIVING_EVERY: Final = 15
"""Of so many services, one of those with one to spare survives any site, too."""
RACKS_ASKED: Final = 2
STAGES: Final = ((1, 0.6), (2, 0.25), (3, 0.15))
"""Numbers of stages, and how likely each is."""
RATE: Final = 1.3e10
"""What an origin asks for, over what it keeps busy for how many us: some half of the nodes are needed."""
LONGEST: Final = 8
"""An objective leaves each stage so many times what a T4 takes alone."""
DEAR_MILLICENTS: Final = 1_000
"""A cent for 1000 requests: dear models on dear nodes cost more."""
WAKE_UP_US: Final = 30_000_000
"""Enough for pipelines of any stages that there are."""
EACH: Final = 10
"""Of so many services one has a price for its requests, one is kept from a device, three keep their stages together,
one promises the first of them, and one has its inputs packed or lowered and scales to zero."""
TOGETHER: Final = {4: Within.SITE, 6: Within.RACK, 7: Within.NODE}
"""Where those three keep them."""
CLASSES: Final = ("card", "health", "")
WITHIN: Final = {"card": ("A", "B", "C"), "health": ("B", "C", "D")}
"""Where data of a class has to stay."""


def drawn_service(
    dice: Dice, number: int, models: list[Model], base_us: dict[str, int], where: np.ndarray
) -> tuple[Service, float]:
    """A service, and the typical rate of an origin."""
    length = int(dice.choice([many for many, _ in STAGES], p=[part for _, part in STAGES]))
    chosen = [models[at] for at in dice.choice(len(models), min(length, len(models)), replace=False)]
    stages = tuple(
        Stage(f"stage{at}", model.name, (f"stage{at - 1}",) if at else (), int(dice.integers(1, 3)), 20_000, HERE)
        for at, model in enumerate(chosen)
    )
    busy_us = sum(base_us[stage.model] * stage.fanout for stage in stages)
    rate = RATE / busy_us * float(dice.lognormal(-1.5, 0.7))
    protected = CLASSES[int(dice.choice(len(CLASSES), p=[0.15, 0.15, 0.7]))]
    allowed = [at for at, point in enumerate(where) if is_inside(point, WITHIN.get(protected, ()))]
    centre = where[int(dice.choice(allowed))]
    near = np.array(sorted(allowed, key=lambda at: float(np.linalg.norm(where[at] - centre)))[:6])
    origins = tuple(
        Origin(f"s{at}", 200, HERE) for at in dice.choice(near, min(len(near), int(dice.integers(4, 6))), replace=False)
    )
    light = [UseVariant(m.name, v.name, HERE) for m in chosen for v in m.variants[1:]]
    below_us = sum(LONGEST * base_us[stage.model] for stage in stages) + 30_000 + round(float(dice.exponential(60_000)))
    service = Service(
        name=f"svc{number}",
        labels=(),
        data_classes=(protected,) if protected else (),
        data_subjects=(),
        orchestration=Orchestration.ORIGIN,
        origins=origins,
        stages=stages,
        expected_rate_milli_rps=round(rate) * len(origins),
        latency=(LatencyObjective(9900, below_us, 300, HERE),),
        availability=AvailabilityObjective(
            2, 2, HERE, int(number % SPARED_EVERY == 0), RACKS_ASKED, number % SURVIVING_EVERY == SPARED_EVERY
        )
        if dice.random() < 0.4  # noqa: PLR2004
        else None,
        accuracy=AccuracyObjective(900_000, HERE) if dice.random() < 0.5 else None,  # noqa: PLR2004
        degrade=(*light[:1], Shed(200, HERE)) if dice.random() < 0.7 else (),  # noqa: PLR2004
        priority=int(dice.integers(0, 4)) * 10,
        place=HERE,
    )
    return _with_clauses(service, number, base_us), rate


def _with_clauses(service: Service, number: int, base_us: dict[str, int]) -> Service:
    """The service with what one of `EACH` asks for."""
    first, *others = service.stages
    match number % EACH:
        case 2:
            return replace(service, cost=CostObjective(DEAR_MILLICENTS, 1_000, HERE))
        case 3:
            return replace(service, pools=(PoolsClause((), (), ("orin",), (), True, HERE),))  # noqa: FBT003 - barred
        case 4 | 6 | 7 if others:
            within = TOGETHER[number % EACH]
            return replace(service, together=(TogetherClause((first.name, others[0].name), within, HERE),))
        case 5:
            below_us = LONGEST * base_us[first.model] + PLANE_US
            return replace(
                service, latency=(*service.latency, LatencyObjective(9900, below_us, 300, HERE, stage=first.name))
            )
        case 8:
            packed = Encoding("gzip", Fidelity.LOSSLESS, first.payload_bytes // 2, 1, 0, HERE)
            lowered = Encoding("fp16", Fidelity.LOWERED, first.payload_bytes // 4, 1, 60_000, HERE)
            sent = replace(service, stages=(replace(first, encodings=(packed, lowered)), *others))
            return replace(sent, scale_to_zero=ScaleToZero(900, WAKE_UP_US, HERE))
    return service


def is_inside(point: np.ndarray, within: tuple[str, ...]) -> bool:
    """Whether a point lies in one of the jurisdictions, where any are asked."""
    return not within or jurisdictions_at(point)[0] in within
