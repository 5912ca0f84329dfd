"""The subsets of each model's demands, numbered one model after the other, and what they ask for."""

import numpy as np

from controller.compiled import compiled
from controller.planning.fleet.packed import Ints, PackedProblem


def first_subsets(problem: PackedProblem) -> Ints:
    """[M + 1]: where the subsets of each model's demands begin, 2^demands of them."""
    return np.concatenate(([0], np.cumsum(1 << np.diff(problem.first_demand))))


def subset_urps(problem: PackedProblem) -> Ints:
    """What the demands of each subset ask for together; subset T of model m is `first_subsets[m] + T`."""
    return _subset_sums(first_subsets(problem), problem.first_demand, problem.demand_urps)


@compiled
def _subset_sums(first_subset: Ints, first_demand: Ints, demand_urps: Ints) -> Ints:
    sums = np.zeros(first_subset[-1], np.int64)
    for model in range(first_demand.size - 1):
        known = first_subset[model]
        for demand in range(first_demand[model], first_demand[model + 1]):
            many = 1 << (demand - first_demand[model])
            for subset in range(many):
                sums[known + many + subset] = sums[known + subset] + demand_urps[demand]
    return sums
