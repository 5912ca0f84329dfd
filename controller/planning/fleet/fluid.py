"""How many nodes of each pool a plan would power if instances could be divided: where a search should begin.

Which pools to use is hard to see from one instance at a time: a model that takes most of a node's memory pays off
there only beside small ones that take the rest of its slots. Divided instances see it. Let load(p, r) be how many
nodes' worth of resource r the instances on pool p take; a pool then needs about n(p), the norm of its loads with the
exponent SHARPNESS, which is near the largest of them. Sought are shares of the demands over the options that minimise

    sum over options of price · instances + sum over pools p of price(p) N(p) (u + u^(K + 1) / (K + 1)),
    u = n(p) / N(p),

with K = STEEPNESS, so that a node becomes dearer as its pool runs out. That is convex, and at fixed prices each demand
just takes its cheapest option: the method of Frank and Wolfe (1956), in steps of 2 / (t + 2).
"""

from typing import Final, NamedTuple

import numpy as np

from controller.compiled import allocation_free, compiled
from controller.planning.fleet.packed import Floats, Ints, PackedProblem

SHARPNESS: Final = 8
STEEPNESS: Final = 16
LIKELY: Final = 48
"""So many options of a model, the likeliest, are weighed. With 16, plans of 12,000 nodes cost 5 % more after 20 s."""
STEPS: Final = 100
"""More of them gather the nodes in fewer pools than whole instances can use."""
LEAST_LOAD: Final = 1e-3
"""Nodes: every pool begins with it, so that its prices are never nothing over nothing."""
LEAST_PRICE: Final = 0.1
"""Of the mean price of a node: what runs out is dear even where it costs nothing."""
WHOLE: Final = 1.2
"""Whole instances leave gaps: they need about so many times the nodes."""
MOST_FULL: Final = 2.0
"""Where a pool is fuller, its nodes are as dear: powers stay numbers."""
NONE: Final = -1
NEARLY: Final = 0.3
"""Of a node: less than this opens none."""


class Offers(NamedTuple):
    """L options, the likely ones of each model, and A ways for demands to take one."""

    pool: Ints
    """[L]"""
    part: Floats
    """[L, R]: which part of a node an instance takes."""
    price: Floats
    """[L]"""
    urps: Floats
    """[L]"""
    way: Ints
    """[A]: offers, those that reach a demand together."""
    first_way: Ints
    """[D + 1]: where those of each demand begin."""


def likely_nodes(problem: PackedProblem, order: Ints) -> Ints:
    """[P]: about how many nodes of each pool to power. `order` [O] has each model's options, the likely ones first."""
    price = problem.pool_price
    scarce = np.maximum(price, LEAST_PRICE * price.mean()) if price.size else price
    load = _flow(problem, _offers(problem, order), scarce)
    wanted: Ints = np.ceil(WHOLE * load.max(axis=1, initial=0.0) - NEARLY).astype(np.int64)
    return np.minimum(wanted, problem.pool_nodes)


def _offers(problem: PackedProblem, order: Ints) -> Offers:
    """What the likely options offer; none that answers nothing or has no node."""
    options = np.diff(problem.first_option)
    model = np.repeat(np.arange(options.size), options)
    likely = np.arange(order.size) - problem.first_option[model] < LIKELY
    option, model = order[likely], model[likely]
    usable = (problem.option_urps[option] > 0) & (problem.pool_nodes[problem.option_pool[option]] > 0)
    option, model = option[usable], model[usable]
    pool, reach = problem.option_pool[option], problem.option_reach[option]
    bits = np.arange(np.diff(problem.first_demand).max(initial=0))
    offer, bit = np.argwhere(reach.reshape(-1, 1) >> bits & 1).T
    demand = problem.first_demand[model[offer]] + bit
    return Offers(
        pool,
        problem.option_use[option] / np.maximum(problem.pool_capacity[pool], 1),
        problem.option_price[option],
        problem.option_urps[option].astype(np.float64),
        offer[np.argsort(demand, kind="stable")],
        np.concatenate(([0], np.cumsum(np.bincount(demand, minlength=problem.demand_urps.size)))),
    )


@compiled
def _flow(problem: PackedProblem, offers: Offers, scarce: Floats) -> Floats:
    """[P, R]: the load of each pool, in nodes."""
    load = np.full(problem.pool_capacity.shape, LEAST_LOAD)
    prices, best, rates = np.zeros(load.shape), np.empty(load.shape), np.empty(offers.pool.size)
    for step in range(STEPS):
        _price(problem, scarce, load, prices)
        _rate(offers, prices, rates)
        best[:] = 0.0
        for demand in range(problem.demand_urps.size):
            chosen = _cheapest(offers, rates, demand)
            if chosen != NONE and rates[chosen] < problem.demand_worth[demand]:
                instances = problem.demand_urps[demand] / offers.urps[chosen]
                for resource in range(offers.part.shape[1]):
                    best[offers.pool[chosen], resource] += instances * offers.part[chosen, resource]
        load = np.maximum(load + 2 / (step + 2) * (best - load), LEAST_LOAD)
    return load


@allocation_free
def _price(problem: PackedProblem, scarce: Floats, load: Floats, prices: Floats) -> None:
    """[P, R]: what it costs to use all that a node has of a resource."""
    for pool in range(load.shape[0]):
        needed = 0.0
        for resource in range(load.shape[1]):
            needed += load[pool, resource] ** SHARPNESS
        needed **= 1 / SHARPNESS
        full = min(needed / max(problem.pool_nodes[pool], 1), MOST_FULL)
        node = problem.pool_price[pool] + scarce[pool] * full**STEEPNESS
        for resource in range(load.shape[1]):
            prices[pool, resource] = node * (load[pool, resource] / needed) ** (SHARPNESS - 1)


@allocation_free
def _rate(offers: Offers, prices: Floats, rates: Floats) -> None:
    """[L]: what one micro-request a second costs by each offer."""
    for offer in range(rates.size):
        price = offers.price[offer]
        for resource in range(prices.shape[1]):
            price += prices[offers.pool[offer], resource] * offers.part[offer, resource]
        rates[offer] = price / offers.urps[offer]


@allocation_free
def _cheapest(offers: Offers, rates: Floats, demand: int) -> int:
    """The offer that a demand takes, or NONE where none reaches it."""
    chosen = NONE
    for way in range(offers.first_way[demand], offers.first_way[demand + 1]):
        if chosen == NONE or rates[offers.way[way]] < rates[chosen]:
            chosen = offers.way[way]
    return chosen
