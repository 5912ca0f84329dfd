import itertools

import numpy as np
import pytest

from controller.planning.fleet.slots import cuts, sizes


def contents(use: np.ndarray, left: np.ndarray) -> list[tuple[int, ...]]:
    """All that a node holds, by vector."""
    return [
        counts for counts in itertools.product(range(13), repeat=len(use)) if (np.array(counts) @ use <= left).all()
    ]


@pytest.mark.parametrize("seed", range(60))
def test_some_cut_holds_whatever_a_node_holds_and_no_cut_holds_more(seed: int) -> None:
    rng = np.random.default_rng(seed)
    use = np.unique(rng.integers(1, 8, (int(rng.integers(1, 4)), int(rng.integers(1, 4)))), axis=0)
    if seed % 2:
        use[:, 0] = 1
        use = np.unique(use, axis=0)
    left = rng.integers(4, 13, (1, use.shape[1]))
    of, size = sizes(use, left)
    slots = cuts(of, left[0], 100)
    assert slots is not None
    held = {tuple(np.bincount(size, counts, len(of.use)).astype(int).tolist()) for counts in contents(use, left[0])}
    levels = of.levels(slots)
    for one in held:
        assert (levels >= of.levels(np.array(one))).all(axis=1).any()
    for cut in slots.tolist():
        assert tuple(cut) in held


def test_memory_and_a_number_of_slots_are_nested_and_need_few_cuts() -> None:
    use = np.array([[1, 14], [1, 8], [1, 4], [1, 2], [1, 1]])
    of, size = sizes(use, np.array([[4, 24]]))
    assert of.nested
    assert size.tolist() == [0, 1, 2, 3, 4]
    found = cuts(of, np.array([4, 24]), 100)
    assert found is not None
    assert sorted(found.tolist()) == [
        [0, 2, 2, 0, 0],
        [0, 3, 0, 0, 0],
        [1, 0, 2, 1, 0],
        [1, 1, 0, 0, 2],
        [1, 1, 0, 1, 0],
    ]


def test_what_cannot_run_short_is_not_looked_at() -> None:
    of, _ = sizes(np.array([[2, 1, 3], [4, 2, 1]]), np.array([[8, 100, 100], [6, 90, 80]]))
    assert of.scarce.tolist() == [0]
    assert of.nested


def test_neither_of_two_vectors_may_be_the_larger() -> None:
    of, _ = sizes(np.array([[4, 1], [1, 4]]), np.array([[8, 8]]))
    assert not of.nested


def test_too_many_cuts_are_none() -> None:
    use = np.array([[big, 20 - big] for big in range(1, 20)])
    of, _ = sizes(use, np.array([[100, 100]]))
    assert cuts(of, np.array([100, 100]), 100) is None
