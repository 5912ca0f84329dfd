"""Tiny problems of the product, drawn by a seed: one or two services, up to six options on up to three pools.

A random part of the clauses is there, so that every rule has something to say in some of them, at its limit now and
then; and a random part of the rules is in play.
"""

import itertools
from dataclasses import replace
from typing import Final, NamedTuple

from dice import Dice
from small_encodings import encoded
from small_profiles import attested, certifications, flowing, kept, profile, proven, signed

from policy.clauses import Scope
from policy.findings import Place
from policy.resolved import (
    AccuracyObjective,
    AvailabilityObjective,
    Ceiling,
    CostObjective,
    CostPolicy,
    DegradeStep,
    DeviceProfile,
    Egress,
    Encryption,
    LatencyObjective,
    Link,
    Maintenance,
    Orchestration,
    Policy,
    Pool,
    PoolsClause,
    Purchase,
    ReplicaBound,
    ScaleToZero,
    ScalingPolicy,
    Service,
    Shed,
    Site,
    Stage,
    TogetherClause,
    UseVariant,
    VariantProfile,
    Within,
)
from policy.windows import Window
from rules.catalogue import RULES
from rules.kernel.plan import Instances, Plan, Unserved
from rules.kernel.problem import (
    WHOLE_PERMILLE,
    Assured,
    Demand,
    Floor,
    Node,
    Option,
    Path,
    Placement,
    Problem,
    Running,
)

HERE: Final = Place("generated", 1, 1)
NOW_S: Final = 1000
LEAD_S: Final = 20
"""Longer than any way to a plan takes."""
SITES: Final = ("paris", "lyon", "york")
JURISDICTIONS: Final = (("FR", "EU"), ("FR",), ("US",), ("EU",))
MODELS: Final = ("det", "rec")
ACCURACY_PPM: Final = {"fp32": 950_000, "int8": 900_000}
STAGE_US: Final = 20_000
SLOWEST_US: Final = 50_000
"""An option of more than this misses the objective of its stage by a microsecond, and others meet it just so."""
MOST_OPTIONS: Final = 6
DEVICE: Final = DeviceProfile(
    "gpu",
    tuple(
        VariantProfile(model, variant, ((1, 1_000), (4, 2_500)), 100, 1_000, HERE)
        for model in MODELS
        for variant in ACCURACY_PPM
    ),
    HERE,
)
"""By it a path is priced that only a way between two plans takes."""
ALWAYS: Final = frozenset({"served", "capacity", "degrade", "device_memory", "device_share", "one_setting"})
"""Rules that apply to every policy: only a benchmark can leave them out."""
DEDICATED: Final = (Scope(classes=("card",)), Scope(services=("svc0",)), Scope(services=("svc1",)), Scope())
ATTESTED: Final = 1_000_000_000
"""What is added to a seed for the dice of attestation."""
SIGNED: Final = 2_000_000_000
"""And for those of provenance."""
PROVEN: Final = 3_000_000_000
"""And for those of evidence of links."""
FLOWING: Final = 4_000_000_000
"""And for those of data that flows along stages."""
SPARED: Final = 5_000_000_000
"""And for those of spare instances."""
RACKED: Final = 5_000_000_000
"""And for those of racks."""
PRICED: Final = 6_000_000_000
"""And for those of what links cost."""
ALLOCATED: Final = 7_000_000_000
"""And for those of ceilings of services and teams."""
KEPT: Final = 8_000_000_000
"""And for those of what is stored and pinned."""
ENCODED: Final = 9_000_000_000
"""And for those of inputs that are packed or lowered."""
ASSURED: Final = 10_000_000_000
"""And for those of what services are assured of."""
WAKING: Final = 11_000_000_000
"""And for those of how soon a service wakes up."""
GATHERED: Final = 12_000_000_000
"""And for those of stages whose instances stand in one rack or on one node."""
LEFT_OUT: Final = 0.15
"""How likely each of those is left out, where any may be."""


class Product(NamedTuple):
    """A problem, the plan that runs, and the rules in play."""

    problem: Problem
    running: Plan
    rules: frozenset[str]


def product(seed: int) -> Product:
    """The problem of that seed."""
    dice = Dice(seed)
    pools = _pools(dice)
    options = _options(dice, pools)
    services = _services(dice)
    policy = _policy(dice, pools, services)
    demands = tuple(
        Demand(f"{service.name}@{origin}", service.name, origin, dice.one((700, 1000, 1500, 2000, 2300, 4000)))
        for service in services
        for origin in SITES[: 1 + (dice.says(0.5) and len(_asking(services, service)) == 1)]
    )
    if len(demands) == 1 and len(services[0].stages) > 1 and dice.says(0.4):
        policy = replace(policy, services=(_together(dice, services[0]),))
    if len(demands) == 1 and dice.says(0.3):
        policy = replace(policy, services=(_with_cost(dice, policy.services[0], pools),))
    if len(demands) == 1 and len(services[0].stages) == 1:
        policy = replace(policy, services=(_with_spares(Dice(seed + SPARED), policy.services[0]),))
    if len(demands) == 1:
        policy = replace(policy, services=(_waking(Dice(seed + WAKING), policy, policy.services[0]),))
    policy = _gathered(Dice(seed + GATHERED), _in_racks(Dice(seed + RACKED), policy))
    problem = Problem(
        policy=policy,
        now_s=NOW_S,
        needed_until_s=NOW_S + LEAD_S,
        demands=demands,
        options=options,
        paths=tuple(path for demand in demands for path in _paths(dice, policy, demands, demand, options)),
        nodes=tuple(Node(name, pool.name) for pool in pools for name in pool.node_names()),
        certifications=certifications(dice, pools, SITES, range(NOW_S, NOW_S + LEAD_S)),
        running=(),
        floors=(),
    )
    problem = signed(Dice(seed + SIGNED), attested(Dice(seed + ATTESTED), problem))
    problem = flowing(Dice(seed + FLOWING), proven(Dice(seed + PROVEN), problem))
    problem = _with_parts(Dice(seed + ALLOCATED), _with_prices(Dice(seed + PRICED), problem))
    problem = encoded(Dice(seed + ENCODED), kept(Dice(seed + KEPT), problem))
    problem = _with_assured(Dice(seed + ASSURED), problem)
    problem, running = _with_running(dice, problem, dice.says(0.4))
    rules = frozenset(rule.id for rule in RULES)
    if dice.says(0.4):
        rules -= {name for name in sorted(rules) if dice.says(LEFT_OUT)}
    return Product(problem, running, rules)


def _together(dice: Dice, service: Service) -> Service:
    """The service with its stages in one place: said only where it shares no instance, as what is slow as a whole."""
    names = tuple(stage.name for stage in service.stages)
    return replace(service, together=(TogetherClause(names, dice.one(tuple(Within)), HERE),))


def _gathered(dice: Dice, policy: Policy) -> Policy:
    """The policy with services that gather the instances of one of their stages now and then: that bars no path."""
    places = (Within.RACK, Within.NODE, Within.NODE)
    services = tuple(
        replace(each, together=(*each.together, TogetherClause((dice.one(each.stages).name,), dice.one(places), HERE)))
        if dice.says(0.3)
        else each
        for each in policy.services
    )
    return replace(policy, services=services)


def _with_cost(dice: Dice, service: Service, pools: tuple[Pool, ...]) -> Service:
    """The service with a price for its requests, about what a quarter of a node costs that answers one a second."""
    dearest = max(pool.price_millicents_per_hour for pool in pools)
    requests = dice.one((1_000, 10_000, 14_400))
    below = requests * dearest // (3_600 * dice.one((1, 2, 4, 4, 8)))
    return replace(service, cost=CostObjective(below, requests, HERE))


def _waking(dice: Dice, policy: Policy, service: Service) -> Service:
    """The service, now and then with a wake-up that is about as long as what it loads; an option loads for 1 ms."""
    if not dice.says(0.6):
        return service
    around_us = policy.scaling.interval_s * 1_000_000 + 3_000_000
    return replace(service, scale_to_zero=ScaleToZero(600, around_us + dice.one((999, 1000, 1000, 2000, 3000)), HERE))


def _with_spares(dice: Dice, service: Service) -> Service:
    """The service, now and then with instances to spare."""
    stands = service.availability or AvailabilityObjective(1, 1, HERE)
    return replace(service, availability=replace(stands, spares=dice.within(1, 2))) if dice.says(0.8) else service


def _in_racks(dice: Dice, policy: Policy) -> Policy:
    """The policy with nodes in racks now and then, and services that ask for some."""
    pools = tuple(replace(pool, racks=dice.one(((), ("a",), ("a", "b"), ("b", "a", "b")))) for pool in policy.pools)
    services = tuple(
        replace(each, availability=replace(each.availability, racks=dice.within(0, 3))) if each.availability else each
        for each in policy.services
    )
    return replace(policy, pools=pools, services=services) if dice.says(0.5) else policy


def _with_prices(dice: Dice, problem: Problem) -> Problem:
    """The problem with links that have a price one way or both: about what a node costs, for what a demand sends."""
    if not dice.says(0.4):
        return problem
    links = tuple(
        replace(
            link,
            egress=tuple(
                Egress(site, dice.one((0, 3_000, 9_000, 40_000)), HERE) for site in (link.a, link.b) if dice.says(0.7)
            ),
        )
        for link in problem.policy.links
    )
    return replace(problem, policy=replace(problem.policy, links=links))


def _with_parts(dice: Dice, problem: Problem) -> Problem:
    """The problem with a ceiling of a service or of both: about what its requests use of a node or two."""
    if not dice.says(0.25):
        return problem
    dearest = max(pool.price_millicents_per_hour for pool in problem.policy.pools)
    services = tuple(replace(service, team="all") for service in problem.policy.services)
    named = {"team": "all"} if dice.says(0.5) else {"service": dice.one(services).name}
    more = Ceiling("", dearest * dice.within(1, 6) // 4, HERE, **named)
    cost = replace(problem.policy.cost, ceilings=(*problem.policy.cost.ceilings, more))
    return replace(problem, policy=replace(problem.policy, services=services, cost=cost))


def _with_assured(dice: Dice, problem: Problem) -> Problem:
    """The problem, now and then with what each service is assured of; the last level and all refused are nothing."""
    if not dice.says(0.3):
        return problem
    assured = tuple(
        Assured(
            service.name,
            dice.within(0, len(service.degrade) + 1),
            tuple((d.id, dice.one((0, 99, 300, 1000))) for d in problem.demands if d.service == service.name),
        )
        for service in problem.policy.services
    )
    return replace(problem, assured=assured)


def _asking(services: tuple[Service, ...], service: Service) -> set[str]:
    """The services that use any model of this one."""
    models = {stage.model for stage in service.stages}
    return {each.name for each in services if models & {stage.model for stage in each.stages}}


def _pools(dice: Dice) -> tuple[Pool, ...]:
    many = dice.within(1, 3)
    return tuple(
        Pool(
            name=f"pool-{number}",
            site=dice.one(SITES),
            device="gpu",
            nodes=1 if many == len(SITES) else dice.within(1, 2),
            memory_mib=dice.one((500, 800, 1000)),
            share_permille=dice.one((500, 800, 1000)),
            price_millicents_per_hour=dice.one((0, 17, 40, 41, 90)),
            purchase=dice.one((Purchase.OWNED, Purchase.OWNED, Purchase.ON_DEMAND, Purchase.SPOT)),
            place=HERE,
            dedicated_to=dice.one(DEDICATED) if dice.says(0.15) else None,
        )
        for number in range(many)
    )


def _options(dice: Dice, pools: tuple[Pool, ...]) -> tuple[Option, ...]:
    """Memory and share are a matter of the placement; what batches is faster, and now and then too slow for that."""
    drawn = []
    for pool, model, variant in itertools.product(pools, MODELS, ACCURACY_PPM):
        memory_mib, share_permille = dice.one((200, 250, 400)), dice.one((200, 250, 400))
        for batch in (1, 4):
            option = Option(
                id=f"{model}/{variant}@{pool.name} b{batch}",
                placement=Placement(model, variant, pool.name),
                max_batch=batch,
                queue_delay_us=0,
                load_permille=700,
                capacity_milli_rps=dice.one((1000, 1300, 2000, 2500)) * (1 if batch == 1 else dice.within(1, 2)),
                memory_mib=memory_mib,
                share_permille=share_permille,
                accuracy_ppm=ACCURACY_PPM[variant],
                load_us=1000,
            )
            if dice.says(0.7 if (variant, batch) == ("fp32", 1) else 0.35):
                drawn.append(option)
    return tuple(dice.some(drawn, MOST_OPTIONS))


def _services(dice: Dice) -> tuple[Service, ...]:
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


def _policy(dice: Dice, pools: tuple[Pool, ...], services: tuple[Service, ...]) -> Policy:
    sites = tuple(Site(name, dice.one(JURISDICTIONS), HERE) for name in SITES)
    links = tuple(
        Link(
            *(one, other),
            *(8000, 0, 100_000_000),
            dice.one(tuple(Encryption)),
            dice.one(((), (), ("EU",), ("US",))),
            HERE,
        )
        for one, other in itertools.combinations(SITES, 2)
        if dice.says(0.85)
    )
    prices = sorted({pool.price_millicents_per_hour * dice.within(1, 3) for pool in pools})
    ceilings = tuple(Ceiling(dice.one(("", "", *SITES)), price, HERE) for price in prices if dice.says(0.3))
    bounds = tuple(
        ReplicaBound(model, dice.one(("", *SITES)), dice.one((0, 0, 1, 2)), dice.within(2, 3), HERE)
        for model in MODELS
        if dice.says(0.25)
    )
    cost = CostPolicy("cost", ceilings, dice.one((0, 3, 30)), HERE)
    scaling = ScalingPolicy("scaling", 5, 0, 0, WHOLE_PERMILLE, 15, LEAD_S, bounds, HERE)
    works = (_maintenance(dice),) if dice.says(0.2) else ()
    asked = (profile(dice),)
    return Policy("generated", services, (), sites, pools, links, (DEVICE,), asked, cost, scaling, maintenance=works)


def _maintenance(dice: Dice) -> Maintenance:
    """At one site and on one pool, beside the span that is looked at or in it by a second; now and then once more."""
    lasts_s = dice.within(1, 3)
    from_s = dice.one((NOW_S - lasts_s, NOW_S - lasts_s + 1, NOW_S + LEAD_S - 1, NOW_S + LEAD_S))
    every_s = dice.one((0, 0, LEAD_S, LEAD_S + lasts_s, LEAD_S + 10))
    earlier = every_s * dice.within(0, 3)
    window = Window(from_s - earlier, from_s - earlier + lasts_s, every_s)
    return Maintenance("work", (dice.one(SITES),), (dice.one(("pool-0", "pool-1")),), window, HERE)


def _paths(
    dice: Dice, policy: Policy, demands: tuple[Demand, ...], demand: Demand, options: tuple[Option, ...]
) -> list[Path]:
    """All ways through the stages; some are missing, or slow as a whole, where the demand shares no model."""
    service = policy.service(demand.service)
    sharing = _asking(policy.services, service)
    is_alone = sum(each.service in sharing for each in demands) == 1
    stages = [[option.id for option in options if option.placement.model == stage.model] for stage in service.stages]
    by_option = {name: dice.one((49_999, 50_000, 50_001)) for stage in stages for name in stage}
    found = []
    for names in itertools.product(*stages):
        slowest_us = dice.one((50_000, 60_000)) if is_alone else max(by_option[name] for name in names)
        latency_us = ((5000, slowest_us - dice.one((0, 5000))), (9900, slowest_us))
        if not is_alone:
            latency_us = ((5000, slowest_us), (9900, slowest_us))
        of_stages = tuple(
            (stage.name, ((9900, STAGE_US + (by_option[name] > SLOWEST_US)),))
            for stage, name in zip(service.stages, names, strict=True)
        )
        if not is_alone or dice.says(0.9):
            found.append(Path(f"{demand.id}: {' > '.join(names)}", demand.id, names, latency_us, of_stages))
    return found


def _with_running(dice: Dice, problem: Problem, runs: bool) -> tuple[Problem, Plan]:  # noqa: FBT001 - a plain answer
    """The problem, with some instances that run already and floors of some placements where anything runs."""
    standing = {}
    for option in problem.options if runs else ():
        nodes = problem.nodes_of(option.placement.pool)
        if dice.says(0.4) and not any(problem.option(name).placement == option.placement for name, _ in standing):
            standing[option.id, dice.one(nodes).name] = dice.within(1, 2)
    running = tuple(Running(problem.option(name).placement, node, count) for (name, node), count in standing.items())
    floors = tuple(Floor(item.placement, item.count - dice.within(0, 1), "some") for item in running if dice.says(0.3))
    plan = Plan(
        instances=tuple(sorted(Instances(name, node, count) for (name, node), count in standing.items())),
        unserved=tuple(sorted(Unserved(demand.id, WHOLE_PERMILLE) for demand in problem.demands)),
    )
    return replace(problem, running=running, floors=floors), plan
