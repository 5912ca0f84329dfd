import numpy as np
import pytest

from controller.planning.fleet.cover_rows import cover_rows, subset_sums, unserved
from controller.planning.fleet.covering import cost_missing, offer, worsen


@pytest.mark.parametrize("seed", range(40))
def test_the_rows_allow_just_what_all_subsets_allow(seed: int) -> None:
    rng = np.random.default_rng(seed)
    demands, options = int(rng.integers(1, 5)), int(rng.integers(0, 5))
    asked, offered = rng.integers(0, 20, demands), rng.integers(0, 15, options)
    reach = rng.integers(0, 1 << demands, options)
    rows = cover_rows(reach, offered, asked)
    sums = subset_sums(asked)
    reached = np.bitwise_or.reduce(reach, initial=0)
    answers = set()
    for _ in range(200):
        counts = rng.integers(0, 3, options)
        lost = np.array([rng.integers(0, most + 1) if reached >> bit & 1 else most for bit, most in enumerate(asked)])
        lost_sums = subset_sums(lost)
        wanted = all(
            sums[subset] - lost_sums[subset] <= (counts * offered)[(reach & subset) != 0].sum()
            for subset in range(1 << demands)
        )
        kept = bool((rows.offered @ counts + lost_sums[rows.subset] >= rows.asked).all())
        assert kept == wanted
        answers.add(kept)
    assert answers


def test_a_subset_whose_row_follows_from_others_has_none() -> None:
    # Options 0 and 1 both reach demands 0 and 1; nothing that reaches demand 2 reaches another.
    rows = cover_rows(np.array([0b011, 0b011, 0b100]), np.array([5, 9, 4]), np.array([6, 2, 3]))
    assert rows.subset.tolist() == [0b011, 0b100]
    assert rows.asked.tolist() == [8, 3]
    assert rows.offered.tolist() == [[5, 8, 0], [0, 0, 3]]


@pytest.mark.parametrize("seed", range(40))
def test_what_stays_unserved_is_what_the_search_counts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    demands, options = int(rng.integers(1, 6)), int(rng.integers(0, 6))
    asked, offered = rng.integers(0, 20, demands), rng.integers(0, 15, options)
    reach = rng.integers(0, 1 << demands, options)
    worth = np.sort(rng.random(demands))[::-1].copy()
    gap = subset_sums(asked).astype(np.int64)
    for urps, mask in zip(offered.tolist(), reach.tolist(), strict=True):
        offer(gap, urps, mask)
    worst = np.empty_like(gap)
    worsen(gap, worst)
    lost = unserved(reach, offered, asked)
    assert lost.sum() == worst[-1]
    assert lost @ worth == pytest.approx(cost_missing(worst, worth))
    assert ((lost >= 0) & (lost <= asked)).all()
