"""Small random fleets with two plans each, both accepted by the verifier, to move from one to the other."""

import random
from dataclasses import dataclass, replace

from controller.planning.verify import verify
from policy.clauses import ComplianceProfile, Scope
from policy.findings import Place
from policy.resolved import (
    AvailabilityObjective,
    Ceiling,
    CostPolicy,
    Orchestration,
    Policy,
    Pool,
    Purchase,
    ReplicaBound,
    ScalingPolicy,
    Service,
    Site,
    Stage,
)
from rules.kernel.evidence import Held
from rules.kernel.plan import Instances, Plan, Route
from rules.kernel.problem import Demand, Floor, Node, Option, Path, Placement, Problem
from tests.rules.build import asks

HERE = Place("policy.yaml", 1, 1)
SETTINGS = ((1, 0, 450), (1, 0, 700), (4, 0, 700))
NOW_S = 1_000
SHARE_PERMILLE = 500


@dataclass(frozen=True)
class Move:
    """A problem and the plans to move between. `certified` are the pools that may see card data."""

    problem: Problem
    start: Plan
    goal: Plan
    certified: frozenset[str]
    guarded: bool


@dataclass(frozen=True)
class Size:
    pools: int = 3
    nodes: int = 3
    models: int = 3
    settings: int = 3
    memory: tuple[int, int] = (4, 10)
    counts: int = 3


def moves(seed: int, size: Size | None = None) -> Move:
    """The first pair of plans that this seed's dice come to."""
    dice = random.Random(seed)  # noqa: S311 - dice, not secrets
    size = size or Size()
    while True:
        problem, certified = _problem(dice, size)
        start = _plan(dice, problem, certified, size)
        if start is None or verify(start, problem):
            continue
        goal = next((g for _ in range(20) if (g := _goal(dice, problem, start, certified, size)) is not None), None)
        if goal is None:
            continue
        problem = _with_ceiling(dice, problem, start, goal)
        guarded = _with_floors(problem, start)
        fits = not verify(goal, guarded)
        return Move(guarded if fits else problem, start, goal, certified, fits)


def _problem(dice: random.Random, size: Size) -> tuple[Problem, frozenset[str]]:
    sites = tuple(Site(f"s{i}", ("EU",), HERE) for i in range(dice.randint(1, 2)))
    pools = tuple(
        Pool(
            f"p{i}",
            dice.choice(sites).name,
            "device",
            dice.randint(1, size.nodes),
            dice.randint(*size.memory),
            1_000_000,
            dice.randint(1, 5),
            Purchase.OWNED,
            HERE,
        )
        for i in range(dice.randint(1, size.pools))
    )
    models = [f"m{i}" for i in range(dice.randint(1, size.models))]
    memory = {model: dice.randint(1, 5) for model in models}
    options = tuple(
        Option(
            f"{model}@{pool.name} b{batch} u{load}",
            Placement(model, "fp32", pool.name),
            batch,
            delay,
            load,
            load * batch * 10,
            memory[model],
            1,
            900_000,
            2_000_000,
        )
        for model in models
        for pool in pools
        for batch, delay, load in SETTINGS[: size.settings]
    )
    services = tuple(_service(dice, f"v{i}", models, sites) for i in range(dice.randint(1, 3)))
    demands = tuple(
        Demand(f"{service.name}@{sites[0].name}", service.name, sites[0].name, dice.randint(1, 20) * 1000)
        for service in services
    )
    paths = tuple(
        path for demand, service in zip(demands, services, strict=True) for path in _paths(demand, service, options)
    )
    certified = frozenset(dice.sample([pool.name for pool in pools], dice.randint(1, len(pools))))
    profile = ComplianceProfile(
        "card", Scope(classes=("card",)), (asks("pci", (4,), HERE),), (), None, None, None, HERE
    )
    bounds = tuple(ReplicaBound(model, "", dice.choice((0, 0, 1, 2)), 1_000, HERE) for model in models)
    policy = Policy(
        "random",
        services,
        (),
        sites,
        pools,
        (),
        (),
        (profile,),
        CostPolicy("cost", (), 0, HERE),
        ScalingPolicy("scaling", 5, 0, 0, SHARE_PERMILLE, 15, 0, bounds, HERE),
    )
    nodes = tuple(Node(name, pool.name) for pool in pools for name in pool.node_names())
    held = tuple(Held("pool", pool, "pci", (4,), 0, NOW_S + 100_000) for pool in sorted(certified))
    return Problem(policy, NOW_S, NOW_S + 60, demands, options, paths, nodes, held, (), ()), certified


def _service(dice: random.Random, name: str, models: list[str], sites: tuple[Site, ...]) -> Service:
    chosen = dice.sample(models, min(len(models), dice.randint(1, 2)))
    stages = tuple(Stage(f"t{i}", model, (), dice.randint(1, 2), 1000, HERE) for i, model in enumerate(chosen))
    spread = AvailabilityObjective(dice.randint(1, len(sites)), dice.randint(1, 2), HERE)
    return Service(
        name=name,
        labels=(),
        data_classes=("card",) if dice.random() < 0.4 else (),
        data_subjects=(),
        orchestration=Orchestration.ORIGIN,
        origins=(),
        stages=stages,
        expected_rate_milli_rps=1000,
        latency=(),
        availability=spread if dice.random() < 0.3 else None,
        accuracy=None,
        degrade=(),
        priority=1,
        place=HERE,
    )


def _paths(demand: Demand, service: Service, options: tuple[Option, ...]) -> list[Path]:
    ways: list[tuple[str, ...]] = [()]
    for stage in service.stages:
        ways = [(*way, option.id) for way in ways for option in options if option.placement.model == stage.model]
    return [Path(f"{demand.id}: {' | '.join(way)}", demand.id, way, ((9900, 1),)) for way in ways]


def _goal(dice: random.Random, problem: Problem, start: Plan, certified: frozenset[str], size: Size) -> Plan | None:
    goal = _plan(dice, problem, certified, size)
    return goal if goal is not None and goal != start and not verify(goal, problem) else None


def _plan(dice: random.Random, problem: Problem, certified: frozenset[str], size: Size) -> Plan | None:
    """Random ways for each demand, one setting a placement, and what that takes, on random nodes; None if it fails."""
    setting = {option.placement: dice.choice(SETTINGS[: size.settings]) for option in problem.options}
    chosen = {
        option.placement: option
        for option in problem.options
        if (option.max_batch, option.queue_delay_us, option.load_permille) == setting[option.placement]
    }
    names = {option.id for option in chosen.values()}
    calls: dict[Placement, int] = {}
    routes = []
    for demand in problem.demands:
        service = problem.service_of(demand)
        paths = [path for path in problem.paths if path.demand == demand.id and names.issuperset(path.options)]
        if service.data_classes:
            paths = [p for p in paths if all(problem.option(o).placement.pool in certified for o in p.options)]
        split = dice.randint(1, 999)
        picked = dice.sample(paths, min(len(paths), 2))
        if not picked:
            return None
        shares = (1000,) if len(picked) == 1 or dice.random() < 0.5 else (split, 1000 - split)
        for path, share in zip(picked, shares, strict=False):
            routes.append(Route(path.id, share))
            for stage, option in zip(service.stages, path.options, strict=True):
                placement = problem.option(option).placement
                calls[placement] = calls.get(placement, 0) + share * stage.fanout * demand.rate_milli_rps
    return _standing(dice, problem, chosen, calls, routes)


def _standing(
    dice: random.Random,
    problem: Problem,
    chosen: dict[Placement, Option],
    calls: dict[Placement, int],
    routes: list[Route],
) -> Plan | None:
    room = {node.name: problem.policy.pool(node.pool).memory_mib for node in problem.nodes}
    counts: dict[tuple[str, str], int] = {}
    for placement, option in chosen.items():
        needed = -(-calls.get(placement, 0) // (1000 * option.capacity_milli_rps))
        for extra in range(needed + dice.choice((0, 0, 0, 1))):
            nodes = [n.name for n in problem.nodes_of(placement.pool) if room[n.name] >= option.memory_mib]
            if not nodes and extra < needed:
                return None
            if nodes:
                node = dice.choice(nodes)
                room[node] -= option.memory_mib
                counts[option.id, node] = counts.get((option.id, node), 0) + 1
    return Plan(tuple(sorted(Instances(*key, count) for key, count in counts.items())), tuple(sorted(routes)))


def _with_ceiling(dice: random.Random, problem: Problem, start: Plan, goal: Plan) -> Problem:
    prices = {node.name: problem.policy.pool(node.pool).price_millicents_per_hour for node in problem.nodes}
    spent = max(sum(prices[node] for node in plan.powered()) for plan in (start, goal))
    ceiling = spent + dice.choice((0, 3, 1_000))
    cost = replace(problem.policy.cost, ceilings=(Ceiling("", ceiling, HERE),))
    return replace(problem, policy=replace(problem.policy, cost=cost))


def _with_floors(problem: Problem, start: Plan) -> Problem:
    floors = tuple(
        Floor(placement, count - max(1, count * SHARE_PERMILLE // 1000), "the step share")
        for placement, count in sorted(start.placements(problem).items())
        if count > max(1, count * SHARE_PERMILLE // 1000)
    )
    return replace(problem, floors=floors)
