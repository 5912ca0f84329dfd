"""Generated fleets of any size with two plans each: in the second some instances stand elsewhere."""

import random
from dataclasses import dataclass
from typing import Final

from policy.findings import Place
from policy.resolved import CostPolicy, Orchestration, Policy, Pool, Purchase, ScalingPolicy, Service, Site, Stage
from rules.kernel.plan import Instances, Plan, Route
from rules.kernel.problem import WHOLE_PERMILLE, Demand, Node, Option, Path, Placement, Problem

HERE: Final = Place("generated", 1, 1)
NODES_A_POOL: Final = 25
MODELS: Final = 20
MEMORY_MIB: Final = 16_384
INSTANCE_MRPS: Final = 10_000


@dataclass
class Filled:
    """Instances by (model, node), the room of each node, and each model's instances by pool."""

    counts: dict[tuple[int, str], int]
    room: dict[str, int]

    def pools(self, model: int, pool_of: dict[str, str]) -> dict[str, int]:
        """Instances of a model by pool."""
        found: dict[str, int] = {}
        for (name, node), count in self.counts.items():
            if name == model and count:
                found[pool_of[node]] = found.get(pool_of[node], 0) + count
        return found


def pair(nodes: int, changed: int, fill: float, seed: int) -> tuple[Problem, Plan, Plan]:
    """A problem of about that many nodes, filled to a part of its memory, and plans that differ by moved instances."""
    dice = random.Random(seed)  # noqa: S311 - dice, not secrets
    problem = _problem(nodes)
    sizes = [1024 * (1 + model % 4) for model in range(MODELS)]
    pool_of = {node.name: node.pool for node in problem.nodes}
    names = sorted(pool_of)
    now = Filled({}, dict.fromkeys(names, MEMORY_MIB))
    full = int((1 - fill) * MEMORY_MIB * len(names))
    while sum(now.room.values()) > full + 4096:
        model, node = dice.randrange(MODELS), dice.choice(names)
        if now.room[node] >= sizes[model]:
            now.room[node] -= sizes[model]
            now.counts[model, node] = now.counts.get((model, node), 0) + 1
    then = Filled(dict(now.counts), dict(now.room))
    moved = 0
    while moved < changed:
        moved += _exchange(dice, then, sizes, names)
    rates = [sum(count for (name, _), count in now.counts.items() if name == model) for model in range(MODELS)]
    problem = _with_demands(problem, rates)
    return problem, _plan(problem, now, pool_of), _plan(problem, then, pool_of)


def _exchange(dice: random.Random, then: Filled, sizes: list[int], names: list[str]) -> int:
    """Move an instance to a node with room, or exchange two of one size; gives how many were moved."""
    model, node = dice.choice(sorted(key for key, count in then.counts.items() if count))
    other = dice.choice(names)
    here, back = then.counts, None
    if then.room[other] < sizes[model]:
        same = [
            m for (m, at), n in sorted(here.items()) if at == other and n and sizes[m] == sizes[model] and m != model
        ]
        if not same:
            return 0
        back = dice.choice(same)
    if other == node:
        return 0
    for name, source, sink in ((model, node, other), *(((back, other, node),) if back is not None else ())):
        here[name, source] -= 1
        here[name, sink] = here.get((name, sink), 0) + 1
        then.room[source] += sizes[name]
        then.room[sink] -= sizes[name]
    return 1 if back is None else 2


def _problem(nodes: int) -> Problem:
    many = max(2, nodes // NODES_A_POOL)
    sites = tuple(Site(f"site-{i}", ("EU",), HERE) for i in range(many))
    pools = tuple(
        Pool(f"pool-{i}", f"site-{i}", "gpu", NODES_A_POOL, MEMORY_MIB, 1_000_000, 100, Purchase.OWNED, HERE)
        for i in range(many)
    )
    options = tuple(
        Option(
            f"model-{model}@{pool.name}",
            Placement(f"model-{model}", "fp16", pool.name),
            4,
            0,
            700,
            INSTANCE_MRPS,
            1024 * (1 + model % 4),
            1,
            900_000,
            5_000_000,
        )
        for model in range(MODELS)
        for pool in pools
    )
    services = tuple(
        Service(
            f"service-{model}",
            (),
            (),
            (),
            Orchestration.ORIGIN,
            (),
            (Stage("only", f"model-{model}", (), 1, 1000, HERE),),
            1,
            (),
            None,
            None,
            (),
            1,
            HERE,
        )
        for model in range(MODELS)
    )
    scaling = ScalingPolicy("scaling", 5, 0, 0, 500, 15, 0, (), HERE)
    cost = CostPolicy("cost", (), 0, HERE)
    policy = Policy("generated", services, (), sites, pools, (), (), (), cost, scaling)
    places = tuple(Node(name, pool.name) for pool in pools for name in pool.node_names())
    return Problem(policy, 0, 60, (), options, (), places, (), (), ())


def _with_demands(problem: Problem, rates: list[int]) -> Problem:
    demands = tuple(
        Demand(f"service-{m}@site-0", f"service-{m}", "site-0", rate * INSTANCE_MRPS * 6 // 10)
        for m, rate in enumerate(rates)
    )
    paths = tuple(
        Path(f"{demand.id}: {option.id}", demand.id, (option.id,), ((9900, 1),))
        for m, demand in enumerate(demands)
        for option in problem.options
        if option.placement.model == f"model-{m}"
    )
    return Problem(problem.policy, 0, 60, demands, problem.options, paths, problem.nodes, (), (), ())


def _plan(problem: Problem, standing: Filled, pool_of: dict[str, str]) -> Plan:
    """Each model's requests go where it stands, in proportion."""
    instances = [
        Instances(f"model-{model}@{pool_of[node]}", node, count)
        for (model, node), count in standing.counts.items()
        if count
    ]
    routes = []
    for model, demand in enumerate(problem.demands):
        pools = sorted(standing.pools(model, pool_of).items())
        total = sum(count for _, count in pools)
        shares = [WHOLE_PERMILLE * count // total for _, count in pools]
        for index in range(WHOLE_PERMILLE - sum(shares)):
            shares[index] += 1
        routes += [
            (f"{demand.id}: model-{model}@{pool}", share) for (pool, _), share in zip(pools, shares, strict=True)
        ]
    return Plan(tuple(sorted(instances)), tuple(sorted(Route(path, share) for path, share in routes if share)))
