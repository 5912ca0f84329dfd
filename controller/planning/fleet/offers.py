"""What each model can be served by, in the form that the search for its cheapest plan reads.

Options that no node can hold, that reach nothing that asks, or that answer nothing are left out. An instance counts for
at most what the demands it reaches ask for together, so that options which serve alike can be told: they are of one
*kind*, and of a kind only the cheapest matters. What runs already is a *stock*: that many instances of a pair cost no
start, so options of such a pair can also be bought from its stock, as long as it lasts.
"""

from typing import NamedTuple

import numpy as np

from controller.planning.fleet.node_contents import Sizes
from controller.planning.fleet.packed import Floats, Ints, PackedProblem
from controller.planning.fleet.subsets import first_subsets, subset_urps


class Offers(NamedTuple):
    """M models, U usable options model by model, K kinds model by model, and the demands that they are for."""

    first: Ints
    """[M + 1]: the first usable option of each model."""
    option: Ints
    """[U]: its number in the problem."""
    size: Ints
    """[U]"""
    price: Floats
    """[U]: dollars an hour, without its node and without a start."""
    kind: Ints
    """[U]: from 0 within the model."""
    stock: Ints
    """[U]: from which it may be taken without a start, or -1."""
    first_kind: Ints
    """[M + 1]"""
    kind_reach: Ints
    """[K]"""
    kind_urps: Ints
    """[K]"""
    running: Ints
    """[stocks]: how many there are of each."""
    first_demand: Ints
    """[M + 1]"""
    worth: Floats
    """[D]"""
    first_subset: Ints
    """[M + 1]"""
    asked: Ints
    """[subsets]: what the demands of each subset ask for together, urps."""


def offers(problem: PackedProblem, sizes: Sizes) -> Offers:
    """The usable options, sorted by model and kind."""
    models = problem.first_option.size - 1
    model = np.repeat(np.arange(models), np.diff(problem.first_option))
    first_subset, asked = first_subsets(problem), subset_urps(problem)
    reach = problem.option_reach & _asking(problem)[model]
    urps = np.minimum(problem.option_urps, asked[first_subset[model] + reach])
    option = np.flatnonzero((sizes.option_size >= 0) & (urps > 0))
    option = option[np.lexsort((urps[option], reach[option], model[option]))]
    model, reach, urps = model[option], reach[option], urps[option]
    opens = np.ones(option.size, np.bool_)
    opens[1:] = (np.diff(model) != 0) | (np.diff(reach) != 0) | (np.diff(urps) != 0)
    first_kind = np.searchsorted(model[opens], np.arange(models + 1))
    stock, running = _stocks(problem, option)
    return Offers(
        first=np.searchsorted(model, np.arange(models + 1)),
        option=option,
        size=sizes.option_size[option],
        price=problem.option_price[option],
        kind=np.cumsum(opens) - 1 - first_kind[model],
        stock=stock,
        first_kind=first_kind,
        kind_reach=reach[opens],
        kind_urps=urps[opens],
        running=running,
        first_demand=problem.first_demand,
        worth=problem.demand_worth,
        first_subset=first_subset,
        asked=asked,
    )


def _asking(problem: PackedProblem) -> Ints:
    """[M]: the demands that ask for anything, as bits."""
    counts = np.diff(problem.first_demand)
    bit = np.arange(problem.demand_urps.size) - np.repeat(problem.first_demand[:-1], counts)
    asking = np.zeros(counts.size, np.int64)
    np.add.at(asking, np.repeat(np.arange(counts.size), counts), (problem.demand_urps > 0).astype(np.int64) << bit)
    return asking


def _stocks(problem: PackedProblem, option: Ints) -> tuple[Ints, Ints]:
    """The stock of each option, and how many instances each stock has; none matters where starts cost nothing."""
    stock, pair = np.full(option.size, -1), problem.option_pair[option]
    runs = (problem.pair_running[pair] > 0) & (problem.start_price > 0)
    pairs, stock[runs] = np.unique(pair[runs], return_inverse=True)
    return stock, problem.pair_running[pairs]
