"""Random small problems, most of which ask for more than can be had."""

from dataclasses import replace
from random import Random

from policy.resolved import AvailabilityObjective, Ceiling, LatencyObjective, Shed
from rules.kernel.problem import Problem
from tests.rules.build import Fleet, asks, at, stage

SITES = ("paris", "lyon")


def problem(seed: int) -> Problem:
    dice = Random(seed)  # noqa: S311 - a problem is no secret
    fleet = Fleet().site("paris", "EU").site("lyon", "EU").link("lyon", "paris")
    pools = []
    for index in range(dice.randint(2, 3)):
        name, site = f"pool{index}", SITES[index % 2]
        price = dice.choice((1_000, 5_000, 9_000))
        fleet = fleet.pool(name, site, dice.randint(1, 2), line=30 + index, price_millicents_per_hour=price)
        pools.append(name)
        if dice.random() < 0.6:
            fleet = fleet.held("pool", name, (4,), 0, 5_000)
    clause = asks("pci-dss", (4,), at(51))
    fleet = fleet.profile("cards", certifications=(clause,))
    for index in range(dice.randint(1, 2)):
        fleet = service(fleet, dice, index, pools)
    if dice.random() < 0.6:
        fleet = fleet.cost(ceilings=(Ceiling("", dice.choice((4_000, 9_000, 15_000)), at(81)),))
    return fleet.problem


def service(fleet: Fleet, dice: Random, index: int, pools: list[str]) -> Fleet:
    name, model, line = f"service{index}", f"model{index}", 60 + 4 * index
    promised = AvailabilityObjective(dice.randint(1, 2), dice.randint(1, 3), at(line))
    fleet = fleet.service(
        name,
        stage("infer", model),
        latency=(LatencyObjective(9900, 50_000, 300, at(line + 1)),),
        availability=promised if dice.random() < 0.5 else None,
        data_classes=("card",) if dice.random() < 0.5 else (),
        degrade=(Shed(200, at(line + 2)),),
    ).demand(name, "paris", dice.choice((400, 900, 1_900)))
    size = dice.choice((300, 400, 600))
    for pool in pools:
        option = f"{model}@{pool}"
        fleet = fleet.option(option, model, pool, capacity_milli_rps=500, share_permille=size)
        fleet = fleet.path(
            f"{name} on {pool}", f"{name}@paris", option, latency_us=((9900, dice.choice((20_000, 60_000))),)
        )
    policy = fleet.problem.policy
    placed = replace(policy.services[-1], place=at(10 + index), priority=dice.choice((1, 5, 50)))
    return replace(
        fleet, problem=replace(fleet.problem, policy=replace(policy, services=(*policy.services[:-1], placed)))
    )
