"""What a plan on arrays costs and whether it can stand, read off the problem's own words: the last word on any engine.

Nothing of the engines is used here. What is served is the optimum of a linear programme over the routes themselves.
"""

from dataclasses import dataclass

import numpy as np

from controller.planning.fleet.packed import URPS, Ints, PackedPlan, PackedProblem


@dataclass(frozen=True, slots=True)
class Verdict:
    """Dollars an hour by what they are for, and everything that the plan breaks, in words."""

    nodes: float
    instances: float
    starts: float
    unserved: float
    broken: tuple[str, ...]

    @property
    def cost(self) -> float:
        """Of everything together, in dollars an hour."""
        return self.nodes + self.instances + self.starts + self.unserved


def judge(problem: PackedProblem, plan: PackedPlan) -> Verdict:
    """Add up a plan, and look for what it breaks; one that names what is not there costs nothing and is broken."""
    unknown = _unknown(problem, plan)
    if unknown:
        return Verdict(0.0, 0.0, 0.0, 0.0, unknown)
    owner = np.repeat(np.arange(problem.pool_nodes.size), problem.pool_nodes)
    standing = np.bincount(problem.option_pair[plan.instance_option], minlength=problem.pair_running.size)
    return Verdict(
        nodes=float(sum(problem.pool_price[owner[node]] for node in set(plan.instance_node.tolist()))),
        instances=float(sum(problem.option_price[option] for option in plan.instance_option.tolist())),
        starts=problem.start_price * float(np.maximum(standing - problem.pair_running, 0).sum()),
        unserved=_unserved(problem, np.bincount(plan.instance_option, minlength=problem.option_pool.size)),
        broken=_misplaced(problem, plan, owner),
    )


def _unknown(problem: PackedProblem, plan: PackedPlan) -> tuple[str, ...]:
    options, nodes = problem.option_pool.size, int(problem.pool_nodes.sum())
    broken = [f"option {option} is not known" for option in plan.instance_option.tolist() if not 0 <= option < options]
    broken += [f"node {node} is not known" for node in plan.instance_node.tolist() if not 0 <= node < nodes]
    if plan.instance_option.size != plan.instance_node.size:
        broken.append(f"{plan.instance_option.size} instances stand on {plan.instance_node.size} nodes")
    return tuple(broken)


def _misplaced(problem: PackedProblem, plan: PackedPlan, owner: Ints) -> tuple[str, ...]:
    broken: list[str] = []
    used: dict[int, Ints] = {}
    for option, node in zip(plan.instance_option.tolist(), plan.instance_node.tolist(), strict=True):
        if problem.option_pool[option] != owner[node]:
            broken.append(f"option {option} is of pool {problem.option_pool[option]}, node {node} of {owner[node]}")
        used[node] = used.get(node, np.zeros_like(problem.option_use[option])) + problem.option_use[option]
    for node, use in sorted(used.items()):
        for resource, (taken, has) in enumerate(zip(use, problem.pool_capacity[owner[node]], strict=True)):
            if taken > has:
                broken.append(f"node {node} has {has} of resource {resource}, {taken} are taken")
    return tuple(broken)


def _unserved(problem: PackedProblem, counts: Ints) -> float:
    """The least cost of what is not served: minimise sum worth * unserved over rates on routes, in requests a second.

    Each demand's routes and its unserved rate add up to what it asks; those over an option to no more than its
    instances answer.
    """
    from scipy.optimize import linprog  # noqa: PLC0415 - half a second that a controller's start has no use for
    from scipy.sparse import coo_array  # noqa: PLC0415 - the same

    demands = problem.demand_urps.size
    option, demand = _routes(problem, counts)
    routes = np.arange(option.size)
    over, place = np.unique(option, return_inverse=True)
    asked = coo_array(
        (np.ones(routes.size + demands), (np.r_[demand, np.arange(demands)], np.arange(routes.size + demands))),
        shape=(demands, routes.size + demands),
    )
    carried = coo_array((np.ones(routes.size), (place, routes)), shape=(over.size, routes.size + demands))
    if not demands:
        return 0.0
    worth = problem.demand_worth * URPS
    found = linprog(
        np.r_[np.zeros(routes.size), worth],
        A_ub=carried if over.size else None,
        b_ub=counts[over] * problem.option_urps[over] / URPS if over.size else None,
        A_eq=asked,
        b_eq=problem.demand_urps / URPS,
        method="highs",
    )
    if found.status != 0:
        raise ArithmeticError(f"what the plan serves could not be computed: {found.message}")
    return float(found.fun)


def _routes(problem: PackedProblem, counts: Ints) -> tuple[Ints, Ints]:
    """Which demand may go over which option that has instances."""
    pairs = [
        (option, first + bit)
        for model, first in enumerate(problem.first_demand[:-1].tolist())
        for option in range(problem.first_option[model], problem.first_option[model + 1])
        for bit in range(problem.first_demand[model + 1] - first)
        if counts[option] and problem.option_reach[option] >> bit & 1
    ]
    listed = np.array(pairs, np.int64).reshape(-1, 2)
    return listed[:, 0], listed[:, 1]
