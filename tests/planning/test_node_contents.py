from itertools import product

import numpy as np
import pytest
from fleets_to_bound import tiny_fleet

from controller.planning.fleet.node_contents import MOST_CONTENTS, fillings, fitting, sizes
from controller.planning.fleet.packed import PackedProblem


def one_pool(uses: list[tuple[int, int]], capacity: tuple[int, int]) -> PackedProblem:
    count = len(uses)
    return tiny_fleet(0)._replace(
        pool_nodes=np.array([3]),
        pool_price=np.array([1.0]),
        pool_capacity=np.array([capacity]),
        option_pool=np.zeros(count, np.int64),
        option_use=np.array(uses),
    )


def test_a_device_with_four_slots_holds_what_its_memory_holds() -> None:
    found = fillings([(1, 8), (1, 14)], (4, 24))
    assert found is not None
    assert sorted(found) == [(1, 1), (3, 0)]


def test_contents_are_all_counts_to_which_nothing_can_be_added() -> None:
    draw = np.random.default_rng(7)
    for _ in range(100):
        uses, room = draw.integers(0, 4, (3, 2)).tolist(), tuple(draw.integers(3, 8, 2).tolist())
        uses = [use for use in uses if any(use)]
        held = [
            counts
            for counts in product(range(8), repeat=len(uses))
            if all(sum(n * use[r] for n, use in zip(counts, uses, strict=True)) <= room[r] for r in range(2))
        ]
        full = [one for one in held if not any(other != one and all(np.array(other) >= one) for other in held)]
        assert sorted(fillings(uses, room) or []) == sorted(full)


def test_what_takes_nothing_is_in_no_content() -> None:
    assert fillings([(0, 0), (1, 0)], (2, 5)) == [(0, 2)]


def test_an_option_too_large_for_a_node_has_no_size() -> None:
    assert sizes(one_pool([(1, 3), (1, 9)], (4, 8))).option_size.tolist() == [0, -1]


def test_options_of_a_pool_without_nodes_have_no_size() -> None:
    empty = one_pool([(1, 3)], (4, 8))._replace(pool_nodes=np.zeros(1, np.int64))
    assert sizes(empty).option_size.tolist() == [-1]


@pytest.mark.parametrize("memory", [600, 60_000_000])
def test_many_sizes_become_few_that_take_no_more(memory: int) -> None:
    uses = [(1, memory // 60 * step) for step in range(2, 60)]
    found = sizes(one_pool(uses, (12, memory)))
    assert len(found.content) <= MOST_CONTENTS
    assert (found.use[found.option_size] <= uses).all()


def test_too_many_contents_to_try_are_made_one_size() -> None:
    uses = [(1, 1_000_000), (3, 1), (1_000_000, 2)]
    found = sizes(one_pool(uses, (10_000_000, 10_000_000)))
    assert found.option_size.tolist() == [0, 0, 0]
    assert found.content.tolist() == [[fitting((1, 1), (10_000_000, 10_000_000))]]
