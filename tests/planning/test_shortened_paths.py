"""Which options are left out where there are too many paths: as if the longest list were shortened one by one."""

import math

from hypothesis import given
from hypothesis import strategies as st

from controller.planning.paths import _shortened


def one_by_one(lengths: list[int], fewest: list[int], most: int) -> list[int]:
    found = list(lengths)
    while math.prod(found) > most:
        longest = max(range(len(found)), key=lambda at: (found[at] > fewest[at], found[at]))
        if found[longest] <= fewest[longest]:
            break
        found[longest] -= 1
    return found


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=4),
    st.integers(0, 2000),
)
def test_lists_are_shortened_as_one_by_one(sizes: list[tuple[int, int]], most: int) -> None:
    lengths = [length for length, _ in sizes]
    fewest = [min(few, length) for length, few in sizes]
    assert _shortened(list(lengths), fewest, most) == one_by_one(lengths, fewest, most)
