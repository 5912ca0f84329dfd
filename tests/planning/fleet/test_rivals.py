"""Searches beside each other: each keeps a plan that holds, and none goes on when nobody asks any more."""

import threading
import time
from functools import partial

import pytest
from random_fleet import random_fleet

from controller.planning.fleet.judge import judge
from controller.planning.fleet.rivals import Rival, Schedule, raced
from controller.planning.fleet.search import Search, known_of

PROBLEM = random_fleet(5, models=12, pools=6)


def rivals(seconds: float, *, is_new: bool = False) -> list[Rival]:
    known = known_of(PROBLEM)
    Search(PROBLEM, known=known).run(1, 0.1)  # compiled before the clock runs
    schedule = Schedule(time.perf_counter() + seconds, is_new)
    return [Rival(partial(Search, PROBLEM, seed=seed, known=known), schedule) for seed in (1, 2, 3)]


@pytest.mark.parametrize("is_new", [False, True])
def test_all_search_until_they_have_cooled_down_and_keep_plans_that_hold(*, is_new: bool) -> None:
    racing = rivals(0.3, is_new=is_new)
    pauses = sum(1 for _ in raced(racing, time.perf_counter() + 100.0))
    assert pauses > 1
    for rival in racing:
        assert rival.search is not None
        assert rival.tries > 0
        found = judge(PROBLEM, rival.search.plan)
        assert not found.broken
        assert found.cost == pytest.approx(rival.cost, abs=1e-6)


def test_a_rival_goes_on_where_the_race_ended() -> None:
    racing = rivals(100.0)
    for _ in raced(racing, time.perf_counter() + 0.2):
        pass
    best = min(racing, key=lambda rival: rival.cost)
    cost, tries = best.cost, best.tries
    for _ in best.run(time.perf_counter() + 0.1):
        pass
    assert best.tries > tries
    assert best.cost <= cost


def test_who_stops_listening_stops_all_of_them() -> None:
    before = threading.active_count()
    race = raced(rivals(100.0), time.perf_counter() + 100.0)
    next(race)
    race.close()
    assert threading.active_count() == before


def test_before_its_first_plan_a_rival_is_dearer_than_any() -> None:
    assert rivals(1.0)[0].cost == float("inf")
