"""Tiny problems of the product, drawn by a seed: one or two services, up to six options on up to three pools.

A random part of the clauses is there, so that every rule has something to say in some of them, at its limit now and
then; and a random part of the rules is in play.
"""

import itertools
from dataclasses import replace
from typing import Final, NamedTuple

from dice import Dice
from small_additions import (
    gathered,
    in_racks,
    surviving,
    together,
    waking,
    with_assured,
    with_cost,
    with_parts,
    with_prices,
    with_spares,
)
from small_encodings import encoded
from small_policies import LEAD_S, NOW_S, drawn_options, drawn_policy, drawn_pools
from small_profiles import attested, certifications, flowing, kept, proven, signed
from small_services import SITES, STAGE_US, asking, drawn_services

from policy.resolved import Policy
from rules.catalogue import RULES
from rules.kernel.plan import Instances, Plan, Unserved
from rules.kernel.problem import WHOLE_PERMILLE, Demand, Floor, Node, Option, Path, Problem, Running

SLOWEST_US: Final = 50_000
"""An option of more than this misses the objective of its stage by a microsecond, and others meet it just so."""
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
SURVIVING: Final = 13_000_000_000
"""And for those of sites that may be lost."""
STANDING: Final = 14_000_000_000
"""And for whether instances may stand where nobody may use them."""
ANYWHERE: Final = 0.3
"""How likely they may: else the rules that bar uses would hardly ever bind, for nothing stands where they do."""
LEFT_OUT: Final = 0.15
"""How likely each rule is left out, where any may be."""


class Product(NamedTuple):
    """A problem, the plan that runs, and the rules in play."""

    problem: Problem
    running: Plan
    rules: frozenset[str]


def product(seed: int) -> Product:
    """The problem of that seed."""
    dice = Dice(seed)
    pools = drawn_pools(dice)
    options = drawn_options(dice, pools)
    services = drawn_services(dice)
    policy = drawn_policy(dice, pools, services)
    demands = tuple(
        Demand(f"{service.name}@{origin}", service.name, origin, dice.one((700, 1000, 1500, 2000, 2300, 4000)))
        for service in services
        for origin in SITES[: 1 + (dice.says(0.5) and len(asking(services, service)) == 1)]
    )
    if len(demands) == 1 and len(services[0].stages) > 1 and dice.says(0.4):
        policy = replace(policy, services=(together(dice, services[0]),))
    if len(demands) == 1 and dice.says(0.3):
        policy = replace(policy, services=(with_cost(dice, policy.services[0], pools),))
    if len(demands) == 1 and len(services[0].stages) == 1:
        policy = replace(policy, services=(with_spares(Dice(seed + SPARED), policy.services[0]),))
        policy = replace(policy, services=(surviving(Dice(seed + SURVIVING), policy.services[0]),))
    if len(demands) == 1:
        policy = replace(policy, services=(waking(Dice(seed + WAKING), policy, policy.services[0]),))
    policy = gathered(Dice(seed + GATHERED), in_racks(Dice(seed + RACKED), policy))
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
    problem = with_parts(Dice(seed + ALLOCATED), with_prices(Dice(seed + PRICED), problem))
    problem = encoded(Dice(seed + ENCODED), kept(Dice(seed + KEPT), problem))
    problem = with_assured(Dice(seed + ASSURED), problem)
    problem, running = _with_running(dice, problem, dice.says(0.4))
    rules = frozenset(rule.id for rule in RULES)
    if dice.says(0.4):
        rules -= {name for name in sorted(rules) if dice.says(LEFT_OUT)}
    if Dice(seed + STANDING).says(ANYWHERE):
        rules -= {"standing"}
    if any(service.survives_any_site for service in policy.services):
        rules |= {"capacity"}  # what survives is held against what instances answer
    return Product(problem, running, rules)


def _paths(
    dice: Dice, policy: Policy, demands: tuple[Demand, ...], demand: Demand, options: tuple[Option, ...]
) -> list[Path]:
    """All ways through the stages; some are missing, or slow as a whole, where the demand shares no model."""
    service = policy.service(demand.service)
    sharing = asking(policy.services, service)
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
