"""Sketches of sites, read as they were written, and whatever else comes in their place."""

import numpy as np
import pytest
from datasketches import req_ints_sketch

from collectors.windows import ACCURACY_K, RANKS
from controller.sites.hub.sketched import SketchError, kept_in, quantiles_us, together


def sketch(values: list[int]) -> req_ints_sketch:
    made = req_ints_sketch(k=ACCURACY_K, is_hra=True)
    made.update(np.array(values, dtype=np.int32))
    return made


@pytest.mark.parametrize("many", [1, 2, 4, 5, 50, 300, 3_000, 100_000])
def test_it_is_read_as_the_library_has_it(many: int) -> None:
    made = sketch(np.random.default_rng(many).integers(10**6, size=many).tolist())
    kept = kept_in(made.serialize())
    assert kept.observed == made.n
    assert sorted(zip(kept.values_us.tolist(), kept.weights.tolist(), strict=True)) == sorted(map(tuple, made))
    assert list(quantiles_us(kept)) == made.get_quantiles(list(RANKS), inclusive=True)


def test_nothing_was_observed_and_several_are_one() -> None:
    assert kept_in(req_ints_sketch(k=ACCURACY_K, is_hra=True).serialize()).observed == 0
    both = together([kept_in(sketch(list(range(low, low + 50))).serialize()) for low in (51, 1)])
    assert quantiles_us(both) == (50, 95, 99)


@pytest.mark.parametrize("size", [37, 39, 43])
def test_where_the_librarys_reader_ends_the_process_a_sketch_is_refused(size: int) -> None:
    with pytest.raises(SketchError, match="cut off"):
        kept_in(sketch(list(range(900))).serialize()[:size])


def test_more_values_than_came_are_refused() -> None:
    body = bytearray(sketch(list(range(300))).serialize())
    body[8 + 16 + 18] = 1
    with pytest.raises(SketchError, match="has not"):
        kept_in(bytes(body))


def test_whatever_comes_is_a_sketch_or_refused() -> None:
    dice = np.random.default_rng(7)
    whole = [sketch(list(range(many))).serialize() for many in (0, 1, 3, 40, 900)]
    for _ in range(3_000):
        body = bytearray(whole[dice.integers(len(whole))])
        for _ in range(dice.integers(1, 4)):
            body[dice.integers(min(len(body), dice.choice([8, 48, len(body)])))] = dice.choice([0, 1, 127, 128, 255])
        try:
            kept = kept_in(bytes(body[: dice.choice([len(body), dice.integers(len(body) + 1)])]))
        except SketchError:
            continue
        if kept.observed:
            assert 0 <= quantiles_us(kept)[0] <= quantiles_us(kept)[2] < 2**31
