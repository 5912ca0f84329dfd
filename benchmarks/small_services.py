"""The services of tiny problems: one or two of one or two stages, with what they promise."""

from typing import Final

from dice import Dice

from policy.findings import Place
from policy.resolved import (
    AccuracyObjective,
    AvailabilityObjective,
    DegradeStep,
    LatencyObjective,
    Orchestration,
    PoolsClause,
    Service,
    Shed,
    Stage,
    UseVariant,
)

HERE: Final = Place("generated", 1, 1)
SITES: Final = ("paris", "lyon", "york")
MODELS: Final = ("det", "rec")
STAGE_US: Final = 20_000


def drawn_services(dice: Dice) -> tuple[Service, ...]:
    """Of two, some share their models."""
    shapes = [(MODELS[:1],), (MODELS,), (MODELS[:1], MODELS[1:]), (MODELS[:1], MODELS[:1]), (MODELS, MODELS[1:])]
    return tuple(_service(dice, f"svc{number}", models) for number, models in enumerate(shapes[dice.within(0, 4)]))


def _service(dice: Dice, name: str, models: tuple[str, ...]) -> Service:
    return Service(
        name=name,
        labels=(),
        data_classes=("card",) if dice.says(0.6) else (),
        data_subjects=(),
        orchestration=Orchestration.ORIGIN,
        origins=(),
        stages=tuple(Stage(model, model, (), 1 + dice.says(0.2), 1000, HERE) for model in models),
        expected_rate_milli_rps=1000,
        latency=_latency(dice, models),
        availability=AvailabilityObjective(dice.within(1, 2), dice.within(1, 3), HERE) if dice.says(0.4) else None,
        accuracy=AccuracyObjective(dice.one((900_000, 950_000)), HERE) if dice.says(0.4) else None,
        degrade=_degrade(dice, models),
        priority=dice.within(0, 2),
        place=HERE,
        pools=(_pools_clause(dice, models),) if dice.says(0.2) else (),
    )


def _latency(dice: Dice, models: tuple[str, ...]) -> tuple[LatencyObjective, ...]:
    whole = LatencyObjective(dice.one((5000, 9900)), 50_000, 60, HERE, dice.one(("", "", *SITES)))
    of_a_stage = LatencyObjective(9900, STAGE_US, 60, HERE, stage=dice.one(models))
    return (*((whole,) if dice.says(0.5) else ()), *((of_a_stage,) if dice.says(0.2) else ()))


def _pools_clause(dice: Dice, models: tuple[str, ...]) -> PoolsClause:
    """Two of the sites and pools that there are at the most, or any device; now and then for one stage."""
    sites, pools = dice.some(list(SITES), dice.within(0, 2)), dice.some(["pool-0", "pool-1"], dice.within(0, 1))
    devices = () if sites or pools else (dice.one(("gpu", "cpu")),)
    stages = dice.one(((), (), models[:1]))
    return PoolsClause(tuple(sites), tuple(pools), devices, stages, dice.says(0.4), HERE)


def _degrade(dice: Dice, models: tuple[str, ...]) -> tuple[DegradeStep, ...]:
    steps: tuple[DegradeStep, ...] = (UseVariant(models[-1], "int8", HERE), Shed(dice.one((100, 300, 1000)), HERE))
    return dice.one(((), steps[:1], steps[1:], steps, steps[::-1]))


def asking(services: tuple[Service, ...], service: Service) -> set[str]:
    """The services that use any model of this one."""
    models = {stage.model for stage in service.stages}
    return {each.name for each in services if models & {stage.model for stage in each.stages}}
