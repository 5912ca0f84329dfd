"""A small fleet with pools whose nodes are alike made one: no plan of the fleet costs less than the best one there.

Any plan of the fleet is one for merged pools, too: the same instances on nodes of the same price. Most of what makes a
fleet hard to prove is gone from these: that each node of a pool is bought whole is seen at once where there are few
pools, and which of the pools takes an instance hardly matters for the cost, while a proof has to rule out every way to
choose. All that is forgotten is where instances stand that share a node: together they may reach what no one pool does.
"""

import numpy as np
import numpy.typing as npt

from controller.planning.fleet.packed import Ints, PackedProblem

Flags = npt.NDArray[np.bool_]


def merged(problem: PackedProblem) -> PackedProblem | None:
    """The relaxation, with only the options that no other one beats; None where no two pools are alike."""
    nodes = np.column_stack((problem.pool_price, problem.pool_capacity))
    _, first, kind = np.unique(nodes, axis=0, return_index=True, return_inverse=True)
    if first.size == problem.pool_nodes.size:
        return None
    model = np.repeat(np.arange(problem.first_option.size - 1), np.diff(problem.first_option))
    pool = kind.reshape(-1)[problem.option_pool]
    pairs, pair = np.unique(model * first.size + pool, return_inverse=True)
    kept = np.flatnonzero(~_is_beaten(problem, pair))
    kept = kept[np.lexsort((pool[kept], model[kept]))]
    return problem._replace(
        pool_nodes=np.bincount(kind.reshape(-1), problem.pool_nodes).astype(np.int64),
        pool_price=problem.pool_price[first],
        pool_capacity=problem.pool_capacity[first],
        first_option=np.searchsorted(model[kept], np.arange(problem.first_option.size)),
        option_pool=pool[kept],
        option_use=problem.option_use[kept],
        option_urps=problem.option_urps[kept],
        option_price=problem.option_price[kept],
        option_reach=problem.option_reach[kept],
        option_pair=pair[kept],
        pair_running=_running(problem, pair, pairs.size),
    )


def _running(problem: PackedProblem, pair: Ints, pairs: int) -> Ints:
    """[pairs]: what runs of each model on each merged pool, when `pair` [O] is the merged pair of each option."""
    before, example = np.unique(problem.option_pair, return_index=True)
    return np.bincount(pair[example], problem.pair_running[before], minlength=pairs).astype(np.int64)


def _is_beaten(problem: PackedProblem, pair: Ints) -> Flags:
    """[O]: whether another option of the pair takes and costs no more, and answers and reaches no less.

    Of options that are the same the first one is kept.
    """
    use, price, urps, reach = problem.option_use, problem.option_price, problem.option_urps, problem.option_reach
    beats = pair[:, None] == pair[None]
    beats &= (use[:, None] <= use[None]).all(axis=2) & (price[:, None] <= price[None])
    beats &= (urps[:, None] >= urps[None]) & (reach[None] & ~reach[:, None] == 0)
    first = np.arange(pair.size)
    beats &= ~beats.T | (first[:, None] < first[None])
    beaten: Flags = beats.any(axis=0)
    return beaten
