"""The simulated batcher against what Triton's rules give by hand, and against queueing theory."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.performance.arrivals import poisson_us
from controller.performance.batcher import moves
from controller.performance.serving import (
    Batching,
    Load,
    PerBatch,
    ServiceTimes,
    answered_us,
    capacity_rps,
    latencies_us,
)
from controller.performance.shared_core import serve_shared

TEN_US = ServiceTimes((0.0, 10.0, 10.0, 10.0, 10.0))


def sizes(largest: int, *preferred: int) -> np.ndarray:
    flags = np.zeros(largest + 1, np.bool_)
    flags[list(preferred) or [largest]] = True
    return flags


def latency(batching: Batching, *arrive_us: float, service: ServiceTimes = TEN_US) -> list[float]:
    found: list[float] = answered_us(service, batching, np.array(arrive_us, np.float64)).tolist()
    return found


def test_without_batching_each_waits_for_those_before_it() -> None:
    assert latency(Batching(1), 0, 1, 2) == [10, 19, 28]


def test_an_idle_instance_takes_the_first_alone_and_then_all_that_wait() -> None:
    assert latency(Batching(4), 0, 1, 2, 3) == [10, 19, 18, 17]


def test_no_batch_is_larger_than_the_largest() -> None:
    assert latency(Batching(2), 0, 1, 2, 3) == [10, 19, 18, 27]


def test_two_instances_work_at_once() -> None:
    assert latency(Batching(1, speeds=(1.0, 1.0)), 0, 1, 2) == [10, 10, 18]


def test_a_slower_device_of_the_group_takes_longer() -> None:
    assert latency(Batching(1, speeds=(1.0, 3.0)), 0, 1) == [10, 30]


def test_a_queue_delay_lets_the_first_wait_for_company() -> None:
    assert latency(Batching(4, queue_delay_us=5), 0, 1) == [15, 14]


def test_a_full_batch_does_not_wait_for_the_delay() -> None:
    assert latency(Batching(2, queue_delay_us=5), 0, 1) == [11, 10]


def test_a_batcher_that_waits_for_a_full_batch_sleeps_through_what_comes_after_the_delay() -> None:
    """What left at 5 is taken at once; what came at 7 waits its own delay, also while the instance is busy."""
    assert latency(Batching(4, queue_delay_us=5), 0, 7, 8) == [15, 18, 17]


def test_the_gap_keeps_an_instance_but_not_the_reply() -> None:
    service = ServiceTimes((0.0, 10.0), gap=PerBatch(3.0), reply=PerBatch(1.0))
    assert latency(Batching(1), 0, 1, service=service) == [11, 23]


@pytest.mark.parametrize(
    ("waiting", "size", "preferred", "expired", "eager", "expected"),
    [
        (3, 0, sizes(4), False, True, (3, False, 0)),  # no delay: whatever waits
        (5, 0, sizes(4), False, True, (4, True, 0)),  # no more than the largest
        (3, 2, sizes(4), False, True, (2, True, 0)),  # a growing payload is filled up
        (3, 0, sizes(4), False, False, (-1, False, 4)),  # with a delay: sleep until there are four
        (3, 0, sizes(4), True, False, (3, False, 0)),  # the delay is over
        (1, 2, sizes(4), False, False, (1, False, 2)),  # a payload that waits anyway grows
        (3, 0, sizes(8, 2, 6), False, True, (2, True, 0)),  # the largest preferred size that is reached
        (3, 0, sizes(8, 2, 6), True, False, (3, False, 0)),  # which an expired delay does not wait for
        (7, 0, sizes(8, 2, 6), False, False, (6, False, 0)),
    ],
)
def test_what_moves_into_a_payload(
    waiting: int, size: int, preferred: np.ndarray, *, expired: bool, eager: bool, expected: tuple[int, bool, int]
) -> None:
    assert moves(waiting, size, expired, eager, preferred) == expected


@pytest.mark.parametrize("load", [0.3, 0.7, 0.85])
def test_one_server_with_fixed_times_waits_as_pollaczek_and_khinchine_say(load: float) -> None:
    service = ServiceTimes((0.0, 1000.0))
    found = latencies_us(service, Batching(1), Load(load * 1000), requests=2_000_000)
    assert found.mean() == pytest.approx(1000 + 1000 * load / (2 * (1 - load)), rel=0.02)


def test_several_servers_with_exponential_times_wait_as_erlang_says() -> None:
    """M/M/4 at 0.8: the chance to wait is Erlang's C(4, 3.2) = 0.5964, the mean wait C / (4 - 3.2) service times."""
    rng = np.random.default_rng(3)
    work_us = rng.exponential(1000.0, 400_000)
    arrive_us = poisson_us(3200.0, 400_000)
    latency_us, _, slower = serve_shared(arrive_us, np.array([0.0, 1.0]), work_us, 4, 4.0, np.zeros(2), sizes(1), 0.0)
    assert slower == pytest.approx(1.0)
    assert latency_us.mean() == pytest.approx(1000 * (1 + 0.5964 / 0.8), rel=0.03)


def test_sharing_one_core_is_processor_sharing() -> None:
    """With many instances on one core an M/G/1 that shares its server: the mean latency is s / (1 - load)."""
    arrive_us = poisson_us(600.0, 400_000)
    latency_us, _, slower = serve_shared(
        arrive_us, np.array([0.0, 1000.0]), np.ones(1), 200, 1.0, np.zeros(2), sizes(1), 0.0
    )
    assert latency_us.mean() == pytest.approx(1000 / (1 - 0.6), rel=0.04)
    assert slower == pytest.approx(1 / (1 - 0.6), rel=0.04)


@settings(max_examples=30)
@given(
    instances=st.integers(1, 4),
    largest=st.integers(1, 8),
    delay_us=st.sampled_from([0.0, 300.0, 2000.0]),
    rate=st.floats(0.1, 1.3),
    seed=st.integers(0, 100),
)
def test_with_a_core_for_each_instance_nothing_is_shared(
    instances: int, largest: int, delay_us: float, rate: float, seed: int
) -> None:
    service = ServiceTimes(tuple(500.0 + 100.0 * b for b in range(largest + 1)))
    batching = Batching(largest, delay_us, speeds=(1.0,) * instances)
    arrive_us = poisson_us(rate * capacity_rps(service, batching), 400, seed)
    alone_us = answered_us(service, batching, arrive_us)
    shared_us, batches, _ = serve_shared(
        arrive_us,
        np.array(service.batch_us),
        np.ones(1),
        instances,
        float(instances),
        np.zeros(largest + 1),
        sizes(largest),
        delay_us,
    )
    assert shared_us == pytest.approx(alone_us)
    assert 1 <= batches.min() <= batches.max() <= largest
    assert (alone_us >= np.array(service.batch_us)[batches] - 1e-6).all()


@settings(max_examples=100)
@given(
    speeds=st.lists(st.sampled_from([1.0, 1.0, 1.7]), min_size=1, max_size=4),
    largest=st.integers(1, 8),
    fanout=st.integers(1, 4),
    rate=st.floats(0.1, 1.5),
    seed=st.integers(0, 1000),
)
def test_the_fast_way_gives_what_following_every_event_gives(
    speeds: list[float], largest: int, fanout: int, rate: float, seed: int
) -> None:
    service = ServiceTimes(tuple(500.0 + 100.0 * b for b in range(largest + 1)), 0.3, gap=PerBatch(20.0, 5.0))
    fast = Batching(largest, speeds=tuple(speeds))
    arrive_us = np.repeat(poisson_us(rate * capacity_rps(service, fast, fanout), 200, seed), fanout)
    event_by_event = replace(fast, preferred=(largest,))
    assert answered_us(service, fast, arrive_us).tolist() == answered_us(service, event_by_event, arrive_us).tolist()


def test_clients_that_wait_for_their_answer_obey_little() -> None:
    """In a closed loop, clients = throughput * latency."""
    service, clients = ServiceTimes((0.0, 1000.0, 1400.0, 1800.0, 2200.0)), 12
    arrive_us = np.full(20_000, np.inf)
    arrive_us[:clients] = 0.0
    found = answered_us(service, Batching(4), arrive_us, closed=True)
    assert not np.isnan(found).any()
    throughput_rps = 4 / 2200 * 1e6
    assert found[1000:].mean() == pytest.approx(clients / throughput_rps * 1e6, rel=0.1)


def test_a_queue_delay_raises_latency_under_load() -> None:
    """Measured on a real Triton with the same arrivals: one instance, batches of 8, 346 requests a second."""
    service = ServiceTimes((0.0, *(5600.0 + 1250.0 * b for b in range(1, 9))))
    at_once, delayed = (
        np.percentile(latencies_us(service, Batching(8, delay), Load(346.0)), (50, 95, 99)) for delay in (0.0, 2000.0)
    )
    assert (delayed > 1.15 * at_once).all()


def test_the_same_seed_gives_the_same_latencies() -> None:
    service, load = ServiceTimes((0.0, 1000.0), spread=0.4), Load(700.0)
    assert (latencies_us(service, Batching(1), load) == latencies_us(service, Batching(1), load)).all()
