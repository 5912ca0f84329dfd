"""Small random problems of the product, with every kind of row in some of them."""

import itertools
from dataclasses import replace

import numpy as np

from policy.resolved import (
    AvailabilityObjective,
    Ceiling,
    ReplicaBound,
    Shed,
    TogetherClause,
    UseVariant,
    Within,
)
from rules.kernel.problem import Placement, Problem
from tests.rules.build import Fleet, at, stage

SITES = ("paris", "lyon", "nice")
MODELS = ("det", "rec")
GATHERED = 1_000
"""What is added to a seed for the dice of stages on one node."""


def random_product(seed: int) -> Problem:
    """Up to three sites with a pool each, two models in one or two variants and settings, and two or three services."""
    dice = np.random.default_rng(seed)
    fleet = Fleet().cost(start_millicents=int(dice.choice([0, 3])))
    for name in SITES:
        fleet = fleet.site(name, "EU").pool(
            f"pool-{name}", name, nodes=int(dice.integers(1, 4)), price_millicents_per_hour=int(dice.integers(20, 90))
        )
    for one, other in itertools.combinations(SITES, 2):
        fleet = fleet.link(one, other)
    fleet = _options(fleet, dice)
    for number in range(int(dice.integers(2, 4))):
        fleet = _service(fleet, f"svc{number}", dice)
    return _gathered(_clauses(fleet, dice).problem, np.random.default_rng(GATHERED + seed))


def _options(fleet: Fleet, dice: np.random.Generator) -> Fleet:
    for model, site in itertools.product(MODELS, SITES):
        for variant in ("fp32", "int8")[: 1 + (model == "rec")]:
            size = {"memory_mib": 300 if variant == "fp32" else 200, "share_permille": 250}
            for batch in (1, 4):
                answers = int(dice.integers(4, 9)) * 1000 * (1 + (batch == 4))
                name = f"{model}/{variant}@{site} b{batch}"
                fleet = fleet.option(
                    name, model, f"pool-{site}", variant, max_batch=batch, capacity_milli_rps=answers, **size
                )
    return fleet


def _service(fleet: Fleet, name: str, dice: np.random.Generator) -> Fleet:
    models = MODELS[: int(dice.integers(1, 3))] if dice.random() < 0.7 else MODELS[1:]
    degrade = (UseVariant("rec", "int8", at(15)), Shed(300, at(16)))
    fleet = fleet.service(
        name,
        *(stage(model, model) for model in models),
        availability=AvailabilityObjective(2, 2, at(12)) if dice.random() < 0.5 else None,
        degrade=degrade if "rec" in models and dice.random() < 0.6 else (),
    )
    for origin in SITES[: int(dice.integers(1, 3))]:
        fleet = fleet.demand(name, origin, int(dice.integers(1, 16)) * 1000)
        stages = [
            [option.id for option in fleet.problem.options if option.placement.model == model] for model in models
        ]
        for options in itertools.product(*stages):
            if dice.random() < 0.85:
                latency = ((5000, int(dice.integers(1, 99)) * 1000),)
                fleet = fleet.path(f"{name}@{origin}: {options}", f"{name}@{origin}", *options, latency_us=latency)
    return fleet


def _clauses(fleet: Fleet, dice: np.random.Generator) -> Fleet:
    if dice.random() < 0.4:
        fleet = fleet.cost(ceilings=(Ceiling("", 300, at(81)), Ceiling("paris", 100, at(82))))
    if dice.random() < 0.4:
        fleet = fleet.scaling(bounds=(ReplicaBound("det", "", 2, 5, at(91)), ReplicaBound("rec", "lyon", 0, 2, at(92))))
    if dice.random() < 0.4:
        placement = Placement("det", "fp32", "pool-nice")
        fleet = fleet.running(placement, "pool-nice-0", 2).floor(placement, 1, "cooling down")
    return fleet


def _gathered(problem: Problem, dice: np.random.Generator) -> Problem:
    """The problem with services that have all of their stages on one node of a site now and then."""
    services = tuple(
        replace(each, together=(TogetherClause(tuple(stage.name for stage in each.stages), Within.NODE, at(17)),))
        if dice.random() < 0.25
        else each
        for each in problem.policy.services
    )
    return replace(problem, policy=replace(problem.policy, services=services))
