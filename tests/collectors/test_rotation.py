"""Whose turn it is: everybody in a small fleet, and a share of a large one, but for those that must not wait."""

from datetime import UTC, datetime, timedelta

import pytest

from collectors.rotation import EACH_TURN, Asked, Rotation

NOW = datetime(2026, 11, 27, tzinfo=UTC)
INTERVAL = timedelta(seconds=10)
MOMENT = timedelta(milliseconds=1)
STALE_AFTER_S = 120


def servers(count: int, process: str = "") -> list[Asked]:
    return [Asked("pool", f"node-{at}", process) for at in range(count)]


@pytest.fixture
def fleet() -> list[Asked]:
    """The servers that there are, which tests change."""
    return servers(1200)


@pytest.fixture
def rotation(fleet: list[Asked]) -> Rotation:
    return Rotation(lambda: fleet, lambda: 10, lambda: STALE_AFTER_S)


def test_a_small_fleet_is_asked_at_each_turn() -> None:
    few = servers(EACH_TURN)
    rotation = Rotation(lambda: few, lambda: 10, lambda: STALE_AFTER_S)
    assert [len(rotation.due(NOW + turn * INTERVAL)) for turn in range(3)] == [EACH_TURN] * 3
    assert rotation.every() == INTERVAL


def test_a_large_one_is_asked_whole_at_first_and_then_by_equal_shares(rotation: Rotation, fleet: list[Asked]) -> None:
    shares = [rotation.due(NOW + turn * INTERVAL) for turn in range(13)]
    assert shares[0] == set(fleet)
    assert {len(share) for share in shares[1:]} == {200}
    assert set.union(*map(set, shares[1:7])) == set(fleet)
    assert rotation.every() == timedelta(seconds=60)


def test_no_reading_becomes_older_than_half_of_what_it_may_be(rotation: Rotation, fleet: list[Asked]) -> None:
    seen = dict.fromkeys(fleet, NOW)
    for turn in range(40):
        now = NOW + turn * INTERVAL
        seen |= dict.fromkeys(rotation.due(now), now)
        assert max(now - at for at in seen.values()) <= timedelta(seconds=STALE_AFTER_S / 2)


def test_all_who_ask_for_one_instant_are_told_the_same(rotation: Rotation) -> None:
    assert rotation.due(NOW) == rotation.due(NOW)
    later = NOW + INTERVAL
    assert rotation.due(later) == rotation.due(later) != frozenset()


def test_what_something_was_done_to_is_asked_at_once(rotation: Rotation) -> None:
    rotation.due(NOW)
    rotation.again({("pool", "node-7"), ("pool", "nowhere")})
    assert rotation.due(NOW + MOMENT) == {Asked("pool", "node-7")}


def test_what_was_started_anew_is_asked_at_once(rotation: Rotation, fleet: list[Asked]) -> None:
    rotation.due(NOW)
    fleet[7] = fleet[7]._replace(process="another")
    fleet.append(Asked("pool", "new"))
    assert rotation.due(NOW + MOMENT) == {fleet[7], fleet[-1]}


def test_a_server_that_is_gone_is_forgotten(rotation: Rotation, fleet: list[Asked]) -> None:
    rotation.due(NOW)
    gone = fleet.pop()
    assert gone not in rotation.due(NOW + timedelta(seconds=60))
    fleet.append(gone)
    assert rotation.due(NOW + timedelta(seconds=60) + MOMENT) == {gone}


def test_what_one_late_turn_read_together_is_not_read_together_ever_after(
    rotation: Rotation, fleet: list[Asked]
) -> None:
    rotation.due(NOW)
    late = NOW + 4 * INTERVAL
    assert len(rotation.due(late)) == 4 * len(fleet) // 6
    assert {len(rotation.due(late + turn * INTERVAL)) for turn in range(1, 13)} == {len(fleet) // 6}


def test_a_clock_that_is_set_back_makes_nobody_wait_for_it(rotation: Rotation, fleet: list[Asked]) -> None:
    for turn in range(7):
        rotation.due(NOW + turn * INTERVAL)
    back = NOW - timedelta(hours=1)
    assert rotation.due(back) == set(fleet)
    assert {len(rotation.due(back + turn * INTERVAL)) for turn in range(1, 13)} == {200}
