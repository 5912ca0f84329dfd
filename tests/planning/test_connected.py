import numpy as np
import pytest

from controller.planning.connected import connected


def test_groups_come_in_order_of_first_mention_and_what_nothing_joins_stays_alone() -> None:
    assert connected([["a"], ["b"], ["c"], ["d"], ["d", "b"]]) == [["a"], ["b", "d"], ["c"]]
    assert connected([]) == []


@pytest.mark.parametrize("seed", range(20))
def test_items_are_together_when_steps_over_shared_collections_lead_from_one_to_the_other(seed: int) -> None:
    dice = np.random.default_rng(seed)
    joined = [dice.integers(0, 12, dice.integers(1, 4)).tolist() for _ in range(8)]
    groups = connected(joined)
    items = {item for collection in joined for item in collection}
    assert sorted(item for group in groups for item in group) == sorted(items)
    for item in items:
        reached = {item}
        while any(reached & set(collection) and not set(collection) <= reached for collection in joined):
            reached |= {x for collection in joined if reached & set(collection) for x in collection}
        assert reached == set(next(group for group in groups if item in group))
