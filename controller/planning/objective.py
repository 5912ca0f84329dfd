"""What is worth what: nodes, instances, starts, links, and how bad it is to degrade or refuse a service.

All prices are millicents an hour. Degrading outweighs every price that could be saved by it, and a service of a higher
priority outweighs one of a lower.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from rules.kernel.dear_paths import capped
from rules.kernel.egress import carried_prices, egress_millicents_per_hour
from rules.kernel.formulation import Formulation, Penalty
from rules.kernel.measure import carried
from rules.kernel.plan import Plan
from rules.kernel.problem import WHOLE_PERMILLE, Option, Problem

INSTANCE_PART_PERMILLE: Final = 500
"""Beside the node, an instance costs this part of the price of the device share that it takes: what stands idle goes,
and a device that is free for others is worth something, though the node is paid for either way."""

MOST: Final = 2**61
"""What a plan may cost at the most under its prices: sums of 64 bits hold several of it."""


def prices(problem: Problem, running: Plan) -> Penalty:
    """The soft prices of a problem as one row. Other batching than a placement runs with costs as much as a start."""
    batching = {option.placement: _batching(option) for option in _known(problem, running)}
    start = problem.policy.cost.start_millicents
    links = capped(carried_prices(problem))
    step = 10 * min(_dearest(problem) + _dearest_carried(problem, links), _highest(problem))
    return Penalty(
        rule="objective",
        nodes=tuple((n.name, problem.policy.pool(n.pool).price_millicents_per_hour) for n in problem.nodes),
        instances=tuple(
            (
                option.id,
                (1 if option.max_batch == 1 else 2)
                + _share_price(problem, option) * INSTANCE_PART_PERMILLE // 1000
                + (start if batching.get(option.placement, _batching(option)) != _batching(option) else 0),
            )
            for option in problem.options
        ),
        levels=tuple(
            (service.name, tuple(step * (1 + service.priority) for _ in range(len(service.degrade) + 1)))
            for service in problem.policy.services
        ),
        unserved=tuple(
            (demand.id, 1 + step * (1 + problem.service_of(demand).priority) // 1000) for demand in problem.demands
        ),
        carried=links,
    )


def _dearest(problem: Problem) -> int:
    """A millicent above what the nodes can cost at the most with all instances that fit on them, each newly started."""
    least: dict[str, tuple[int, int]] = {}
    for option in problem.options:
        memory_mib, share_permille = least.get(option.placement.pool, (option.memory_mib, option.share_permille))
        here = min(memory_mib, option.memory_mib), min(share_permille, option.share_permille)
        least[option.placement.pool] = here
    total = 1
    for pool in problem.policy.pools:
        memory_mib, share_permille = least.get(pool.name, (pool.memory_mib + 1, 1))
        fitting = min(pool.memory_mib // max(1, memory_mib), pool.share_permille // max(1, share_permille))
        node = pool.price_millicents_per_hour * (WHOLE_PERMILLE + INSTANCE_PART_PERMILLE) // WHOLE_PERMILLE
        starting = 2 * (1 + problem.policy.cost.start_millicents)
        total += len(problem.nodes_of(pool.name)) * (1 + node + fitting * starting)
    return total


def _highest(problem: Problem) -> int:
    """What a step of a service may outweigh at the most, for all steps of all services to sum up within 64 bits."""
    asking = Counter(demand.service for demand in problem.demands)
    weights = ((1 + s.priority) * (len(s.degrade) + 2 + asking[s.name]) for s in problem.policy.services)
    return MOST // (10 * max(1, sum(weights)))


def _dearest_carried(problem: Problem, links: Iterable[tuple[str, int]]) -> int:
    """What links cost at the most: the dearest path of each demand."""
    dearest: dict[str, int] = {}
    for path, price in links:
        demand = problem.path(path).demand
        dearest[demand] = max(price, dearest.get(demand, 0))
    return sum(dearest.values())


def _known(problem: Problem, plan: Plan) -> list[Option]:
    used = plan.used_options()
    return [option for option in problem.options if option.id in used]


def _batching(option: Option) -> tuple[int, int]:
    return option.max_batch, option.queue_delay_us


def _share_price(problem: Problem, option: Option) -> int:
    pool = problem.pool_of(option)
    return pool.price_millicents_per_hour * option.share_permille // pool.share_permille


def cost_of(plan: Plan, form: Formulation) -> int:
    """What a plan costs under a form's penalties: the number that engines minimise, computed without one."""
    powered = plan.powered()
    count: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    shares: Counter[str] = Counter()
    for item in plan.instances:
        count[item.option] += item.count
    for route in plan.routes:
        shares[route.path] += route.share_permille
    for share in plan.unserved:
        refused[share.demand] += share.share_permille
    total = 0
    for row in form.rows:
        if isinstance(row, Penalty):
            total += sum(price for node, price in row.nodes if node in powered)
            total += sum(price * count[option] for option, price in row.instances)
            total += sum(
                price * max(0, sum(count[o] for o in options) - running) for options, running, price in row.starts
            )
            total += sum(sum(levels[: plan.level(service)]) for service, levels in row.levels)
            total += sum(price * refused[demand] for demand, price in row.unserved)
            total += -(-sum(price * shares[path] for path, price in row.carried) // WHOLE_PERMILLE)
    return total


def shortfall(plan: Plan, form: Formulation) -> int:
    """The part of a plan's cost that is for degrading and refusing: 0 when all is served as promised."""
    given_up = Plan(unserved=plan.unserved, degraded=plan.degraded)
    rows = (row for row in form.rows if isinstance(row, Penalty))
    return cost_of(given_up, Formulation([Penalty(row.rule, levels=row.levels, unserved=row.unserved) for row in rows]))


def price_per_hour(plan: Plan, problem: Problem, site: str = "") -> int:
    """What the powered nodes of a plan and its links cost in millicents an hour, in all or of one site."""
    powered, pools = plan.powered(), {pool.name: pool for pool in problem.policy.pools if site in {"", pool.site}}
    nodes = (pools[node.pool] for node in problem.nodes if node.name in powered and node.pool in pools)
    return sum(pool.price_millicents_per_hour for pool in nodes) + links_per_hour(plan, problem, site)


def links_per_hour(plan: Plan, problem: Problem, site: str = "") -> int:
    """What leaves sites over links, or one site, costs in a plan in millicents an hour, rounded up."""
    if not any(link.egress for link in problem.policy.links):
        return 0
    prices = (
        share * egress_millicents_per_hour(problem, path)
        for path, share in carried(plan, problem)
        if site in {"", problem.demand(path.demand).origin}
    )
    return -(-sum(prices) // WHOLE_PERMILLE)
