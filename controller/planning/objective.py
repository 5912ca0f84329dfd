"""What is worth what: node prices, instances, starts, and how bad it is to degrade or refuse a service.

All prices are millicents an hour. Degrading outweighs every price that could be saved by it, and a service of a higher
priority outweighs one of a lower.
"""

from collections import Counter
from typing import Final

from rules.kernel.formulation import Formulation, Penalty
from rules.kernel.plan import Plan
from rules.kernel.problem import Option, Problem

INSTANCE_PART_PERMILLE: Final = 500
"""Beside the node, an instance costs this part of the price of the device share that it takes: what stands idle goes,
and a device that is free for others is worth something, though the node is paid for either way."""


def prices(problem: Problem, running: Plan) -> Penalty:
    """The soft prices of a problem as one row. Other batching than a placement runs with costs as much as a start."""
    batching = {option.placement: _batching(option) for option in _known(problem, running)}
    start = problem.policy.cost.start_millicents
    dearest = 1 + sum(problem.policy.pool(node.pool).price_millicents_per_hour for node in problem.nodes)
    step = 10 * dearest
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
    )


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
    for item in plan.instances:
        count[item.option] += item.count
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
    return total


def shortfall(plan: Plan, form: Formulation) -> int:
    """The part of a plan's cost that is for degrading and refusing: 0 when all is served as promised."""
    return cost_of(Plan(unserved=plan.unserved, degraded=plan.degraded), form)


def price_per_hour(plan: Plan, problem: Problem) -> int:
    """What the powered nodes of a plan cost in millicents an hour."""
    powered = plan.powered()
    return sum(problem.policy.pool(n.pool).price_millicents_per_hour for n in problem.nodes if n.name in powered)
