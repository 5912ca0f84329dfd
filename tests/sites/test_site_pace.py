"""How many certificates are asked for in a minute: by one caller, and by all."""

from datetime import UTC, datetime, timedelta

import pytest

from controller.api.problems import Problem
from controller.sites.hub.enrolling import MOST_IN_A_MINUTE, Pace

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def let_through(pace: Pace, caller: str, times: int, at: datetime = NOW) -> int:
    """How many of so many go on."""
    gone = 0
    for _ in range(times):
        try:
            pace.go(caller, at)
        except Problem:
            continue
        gone += 1
    return gone


def test_one_caller_has_sixty_in_a_minute() -> None:
    pace = Pace()
    assert let_through(pace, "a", 61) == 60
    assert let_through(pace, "a", 1, NOW + timedelta(seconds=59)) == 0
    assert let_through(pace, "a", 61, NOW + timedelta(seconds=60)) == 60


def test_many_that_ask_for_as_much_as_they_can_keep_no_other_out() -> None:
    pace = Pace()
    asked = [let_through(pace, str(number), 100) for number in range(49)]
    assert asked[0] == 60
    assert asked == sorted(asked, reverse=True), "the more have asked, the less is one caller's share"
    assert let_through(pace, "another", 1) == 1


def test_all_together_have_so_many() -> None:
    pace = Pace()
    assert sum(let_through(pace, str(number), 3) for number in range(5_000)) == MOST_IN_A_MINUTE
    with pytest.raises(Problem) as refused:
        pace.go("another", NOW)
    assert refused.value.headers == {"Retry-After": "60"}
    assert len(pace.counted) <= MOST_IN_A_MINUTE, "who was refused is not remembered"
