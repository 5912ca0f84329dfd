"""Priorities, timeouts, limits and instances that take turns, against what Triton's rules give by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.snapshot import QueueLevel
from controller.performance.arrivals import poisson_us
from controller.performance.serving import (
    Batching,
    Load,
    PerBatch,
    ServiceTimes,
    answered_us,
    capacity_rps,
    latencies_by_level_us,
    latencies_us,
)

TEN_US = ServiceTimes((0.0, 10.0, 10.0, 10.0, 10.0))
PLAIN = QueueLevel()
REFUSED = None


def latency(batching: Batching, *arrive_us: float, level: tuple[int, ...] = ()) -> list[float | None]:
    levels = np.array(level) if level else None
    found = answered_us(TEN_US, batching, np.array(arrive_us, np.float64), level=levels)
    return [REFUSED if np.isnan(item) else float(item) for item in found]


def with_levels(*levels: QueueLevel, largest: int = 1, delay_us: float = 0.0, instances: int = 1) -> Batching:
    return Batching(largest, delay_us, speeds=(1.0,) * instances, levels=levels)


def test_the_first_level_leaves_first_and_in_order_of_arrival() -> None:
    """At 10 the third and fourth go before the second, which came earlier; what executes is not interrupted."""
    batching = with_levels(PLAIN, PLAIN)
    assert latency(batching, 0, 1, 2, 3, level=(2, 2, 1, 1)) == [10, 39, 18, 27]


def test_a_batch_is_filled_from_the_next_level() -> None:
    """At 10 the batch of two takes the only request of level 1 and the older one of level 2."""
    batching = with_levels(PLAIN, PLAIN, largest=2)
    assert latency(batching, 0, 1, 2, 3, level=(2, 2, 2, 1)) == [10, 19, 28, 17]


def test_requests_that_ask_for_no_level_have_the_default_one() -> None:
    both = with_levels(QueueLevel(limit=1), PLAIN)
    assert latency(replace(both, level=1), 0, 1, 2) == [10, 19, REFUSED]
    assert latency(replace(both, level=2), 0, 1, 2) == [10, 19, 28]


def test_no_payload_is_filled_ahead_where_there_is_a_policy() -> None:
    """One is computed; one may wait, and neither of the two after it."""
    assert latency(with_levels(QueueLevel(limit=1)), 0, 1, 2, 3) == [10, 19, REFUSED, REFUSED]


def test_each_level_has_its_own_limit() -> None:
    batching = with_levels(QueueLevel(limit=1), QueueLevel(limit=2))
    assert latency(batching, 0, 1, 2, 3, 4, 5, level=(2, 1, 1, 2, 2, 2)) == [10, 19, REFUSED, 27, 36, REFUSED]


def test_a_request_that_waited_too_long_is_refused() -> None:
    """The second would begin at 10, 9 after it came; the third has waited for 7 then."""
    assert latency(with_levels(QueueLevel(timeout_us=8)), 0, 1, 3) == [10, REFUSED, 17]


def test_a_request_that_waited_too_long_goes_behind_the_others_of_its_level() -> None:
    batching = with_levels(QueueLevel(timeout_us=8, puts_off=True))
    assert latency(batching, 0, 1, 3) == [10, 29, 17]


def test_those_put_off_leave_before_the_next_level_and_in_order() -> None:
    """At 10 the second and third have waited too long; the sixth came in time, the fifth asked for level 2."""
    batching = with_levels(QueueLevel(timeout_us=7, puts_off=True), PLAIN)
    assert latency(batching, 0, 1, 2, 4, 9, level=(1, 1, 1, 2, 1)) == [10, 29, 38, 46, 11]


def test_what_is_late_keeps_its_place_until_the_batcher_looks() -> None:
    """The second is late from 3 on and still fills the queue at 5."""
    assert latency(with_levels(QueueLevel(timeout_us=2, limit=1)), 0, 1, 5, 10.5) == [10, REFUSED, REFUSED, 10]


def test_a_timeout_ends_a_wait_for_company_with_a_refusal() -> None:
    """The delay would send the first at 8; its timeout comes first, though the instance is idle."""
    batching = with_levels(QueueLevel(timeout_us=5), largest=4, delay_us=8)
    assert latency(batching, 0, 6, 14.5) == [REFUSED, REFUSED, REFUSED]


def test_a_timeout_ends_a_wait_for_company_with_a_new_look() -> None:
    """Put off at 5, the first has no timeout any more, and leaves after the delay."""
    batching = with_levels(QueueLevel(timeout_us=5, puts_off=True), largest=4, delay_us=8)
    assert latency(batching, 0) == [18]


def test_a_full_batch_ends_a_wait_for_company() -> None:
    assert latency(with_levels(PLAIN, largest=2, delay_us=5), 0, 1) == [11, 10]


@pytest.mark.parametrize("level", [(1, 2), (2, 1)])
def test_a_delay_counts_from_the_oldest_of_any_level(level: tuple[int, int]) -> None:
    """At 5 the first has waited for its delay; the second goes along."""
    assert latency(with_levels(PLAIN, PLAIN, largest=4, delay_us=5), 0, 3, level=level) == [15, 12]


def test_a_timeout_makes_room_while_the_batcher_waits_for_company() -> None:
    """The first is refused at 5, so that the third finds room at 6; at 8.5 it leaves with the second."""
    batching = with_levels(QueueLevel(timeout_us=5, limit=1), PLAIN, largest=4, delay_us=8)
    assert latency(batching, 0, 0.5, 6, level=(1, 2, 1)) == [REFUSED, 18, 12.5]


def test_the_batcher_sleeps_through_the_timeouts_of_those_that_came_meanwhile() -> None:
    """It sleeps from 0 to 8 for the first. The second is late at 4 and fills the queue at 6 all the same."""
    batching = with_levels(QueueLevel(timeout_us=3, limit=1), PLAIN, largest=4, delay_us=8)
    assert latency(batching, 0, 1, 6, level=(2, 1, 1)) == [18, REFUSED, REFUSED]


def test_those_put_off_count_in_the_limit() -> None:
    """At 12 one that was put off and one in time wait."""
    batching = with_levels(QueueLevel(timeout_us=5, puts_off=True, limit=2))
    assert latency(batching, 0, 1, 2, 11, 12) == [10, 19, 28, 29, REFUSED]


def test_the_batcher_does_not_look_at_a_level_beyond_a_full_batch() -> None:
    """At 10 three of level 1 wait, more than a batch: the late one of level 2 stays, and fills its queue at 18."""
    batching = with_levels(PLAIN, QueueLevel(timeout_us=5, limit=1), largest=2)
    found = latency(batching, 0, 1, 2, 2.5, 3, 18, level=(1, 1, 1, 1, 2, 2))
    assert found == [10, 19, 18, 27.5, REFUSED, REFUSED]


def test_the_batcher_looks_at_the_level_that_follows_a_full_batch() -> None:
    """At 20 the only one of level 1 fills the batch; the late one behind it is refused, and there is room at 25."""
    batching = with_levels(PLAIN, QueueLevel(timeout_us=12, limit=1))
    assert latency(batching, 0, 1, 2, 3, 25, level=(1, 1, 1, 2, 2)) == [10, 19, 28, REFUSED, 15]


def test_instances_that_take_turns_are_as_many_as_may_execute() -> None:
    assert latency(Batching(1, speeds=(1.0,) * 3, at_once=2), 0, 0, 0) == [10, 10, 20]
    assert capacity_rps(TEN_US, Batching(1, speeds=(1.0,) * 3, at_once=2)) == 2 * capacity_rps(TEN_US, Batching(1))


@settings(max_examples=100)
@given(
    speeds=st.lists(st.sampled_from([1.0, 1.7]), min_size=1, max_size=4),
    largest=st.integers(1, 8),
    rate=st.floats(0.1, 1.5),
    seed=st.integers(0, 1000),
    fanout=st.integers(1, 3),
)
def test_one_level_without_rules_gives_what_no_level_gives(
    speeds: list[float], largest: int, rate: float, seed: int, fanout: int
) -> None:
    """Bit for bit. What waits in payloads that grow leaves no otherwise than what waits in the queue."""
    service = ServiceTimes(tuple(500.0 + 100.0 * b for b in range(largest + 1)), 0.3, gap=PerBatch(20.0, 5.0))
    plain = Batching(largest, speeds=tuple(speeds))
    arrive_us = np.repeat(poisson_us(rate * capacity_rps(service, plain, fanout), 200, seed), fanout)
    one_level = answered_us(service, replace(plain, levels=(PLAIN,)), arrive_us)
    assert one_level.tolist() == answered_us(service, plain, arrive_us).tolist()


@settings(max_examples=50)
@given(largest=st.integers(1, 8), delay_us=st.sampled_from([100.0, 700.0, 3000.0]), seed=st.integers(0, 1000))
def test_with_an_instance_for_everyone_a_delay_is_the_same_with_a_level(
    largest: int, delay_us: float, seed: int
) -> None:
    """Bit for bit: no payload ever waits then, so that it is all the same whether one may be filled ahead."""
    service = ServiceTimes(tuple(500.0 + 100.0 * b for b in range(largest + 1)))
    plain = Batching(largest, delay_us, speeds=(1.0,) * 60)
    arrive_us = poisson_us(3000.0, 60, seed)
    one_level = answered_us(service, replace(plain, levels=(PLAIN,)), arrive_us)
    assert one_level.tolist() == answered_us(service, plain, arrive_us).tolist()


def test_two_priorities_wait_as_cobham_says() -> None:
    """M/D/1 with s = 1 ms, loads of 0.3 and 0.4, without preemption.

    With R = (0.3 + 0.4) / 2 ms left of the execution that a request finds, level 1 waits R / (1 - 0.3) on average and
    level 2 R / ((1 - 0.3) (1 - 0.7)).
    """
    service, batching = ServiceTimes((0.0, 1000.0)), Batching(1, levels=(PLAIN, PLAIN))
    first, second = latencies_by_level_us(service, batching, Load(700.0, parts=(3 / 7, 4 / 7)), 2_000_000)
    assert first.mean() == pytest.approx(1000 + 350 / 0.7, rel=0.01)
    assert second.mean() == pytest.approx(1000 + 350 / (0.7 * 0.3), rel=0.02)


@settings(max_examples=50)
@given(
    rules=st.lists(
        st.builds(QueueLevel, st.sampled_from([0, 800, 3000]), st.booleans(), st.sampled_from([0, 1, 5])),
        min_size=1,
        max_size=3,
    ),
    largest=st.integers(1, 4),
    delay_us=st.sampled_from([0.0, 400.0]),
    rate=st.floats(0.2, 2.0),
    seed=st.integers(0, 100),
)
def test_nobody_waits_beyond_a_timeout_that_refuses_and_nobody_else_is_refused(
    rules: list[QueueLevel], largest: int, delay_us: float, rate: float, seed: int
) -> None:
    service = ServiceTimes(tuple(500.0 + 100.0 * b for b in range(largest + 1)))
    batching = Batching(largest, delay_us, levels=tuple(rules))
    arrive_us = poisson_us(rate * capacity_rps(service, batching), 300, seed)
    level = np.random.default_rng(seed).integers(1, len(rules) + 1, arrive_us.size)
    found = answered_us(service, batching, arrive_us, level=level)
    for at, rule in enumerate(rules, 1):
        own = found[level == at]
        if rule.timeout_us and not rule.puts_off:
            longest_us = rule.timeout_us + service.batch_us[largest]
            assert (own[~np.isnan(own)] <= longest_us + 1e-6).all()
        elif not rule.limit:
            assert not np.isnan(own).any()
    assert (found[~np.isnan(found)] >= service.batch_us[1] - 1e-6).all()


def test_latencies_by_level_are_those_of_all_requests() -> None:
    service, batching = ServiceTimes((0.0, 1000.0)), Batching(1, levels=(PLAIN, QueueLevel(timeout_us=2000)))
    load = Load(400.0, fanout=2, parts=(0.2, 0.8))
    together, apart = (f(service, batching, load) for f in (latencies_us, latencies_by_level_us))
    assert sorted(np.concatenate(apart)) == sorted(together)
    assert len(apart[0]) / len(together) > 0.2
    assert apart[1].max() <= 3000 < apart[0].max()


def test_levels_are_not_simulated_where_they_are_not_understood() -> None:
    arrive_us = np.zeros(1)
    with pytest.raises(ValueError, match="clients that wait"):
        answered_us(TEN_US, with_levels(PLAIN), arrive_us, closed=True)
    with pytest.raises(ValueError, match="shared cores"):
        answered_us(TEN_US, replace(with_levels(PLAIN), cores=1.0), arrive_us)
