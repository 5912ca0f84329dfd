from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from posts import NS, compute_span, model_span

from collectors.otlp import join
from collectors.otlp.decode_json import decode_json
from collectors.otlp.ids import SeenIds
from collectors.otlp.inbox import Batch, Inbox
from collectors.otlp.join import RequestJoin
from collectors.otlp.series import WindowSeries
from collectors.otlp.spans import Span
from collectors.otlp.triton_spans import TritonSpans
from collectors.snapshot import Snapshot, Work

MS = 1_000_000


class Traced:
    """A collector, and a clock in nanoseconds from the test's start."""

    def __init__(self, start: datetime) -> None:
        self.inbox = Inbox()
        self.collector = TritonSpans(self.inbox, timedelta(seconds=30))
        self.start = start
        self.start_ns = int(start.timestamp()) * NS

    def request(
        self, number: int, queue_ms: int, compute_ms: int, at_ns: int | None = None, name: str = "det--fp32"
    ) -> tuple[Span, Span]:
        """A model's span and its compute span."""
        begin = self.start_ns if at_ns is None else at_ns
        computing = begin + queue_ms * MS
        done = computing + compute_ms * MS
        return model_span(number, name, begin, done), compute_span(number + 1000, number, computing, done)

    async def reads(self, *spans: Span, pool: str = "edge", after_s: float = 1.0) -> tuple[Work, ...]:
        self.inbox.offer(Batch(pool, spans))
        self.snapshot: Snapshot = await self.collector.collect(self.start + timedelta(seconds=after_s))
        return self.snapshot.work

    @property
    def findings(self) -> list[str]:
        return [finding.id for finding in self.snapshot.findings]


@pytest.fixture
def traced(start: datetime) -> Traced:
    return Traced(start)


def times(work: Work) -> tuple[int, int, int]:
    """Count, and the medians of queue and compute time, in us."""
    assert work.times.value is not None
    return work.times.value.queue.count, work.times.value.queue.p50_us, work.times.value.compute.p50_us


async def test_queue_and_compute_time_are_read_by_request(traced: Traced, start: datetime) -> None:
    (work,) = await traced.reads(*traced.request(1, queue_ms=5, compute_ms=80))
    assert (work.pool, work.model, work.variant) == ("edge", "det", "fp32")
    assert times(work) == (1, 5000, 80_000)
    assert work.times.at == start + timedelta(milliseconds=85)
    assert work.counters.value is None


async def test_the_two_spans_of_a_request_may_come_in_either_order_and_in_different_posts(traced: Traced) -> None:
    model, compute = traced.request(1, queue_ms=5, compute_ms=80)
    assert await traced.reads(compute) == ()
    (work,) = await traced.reads(model)
    model, compute = traced.request(2, queue_ms=5, compute_ms=80)
    await traced.reads(model)
    (work,) = await traced.reads(compute)
    assert times(work) == (2, 5000, 80_000)


async def test_a_post_that_is_sent_twice_counts_once(traced: Traced) -> None:
    spans = traced.request(1, queue_ms=5, compute_ms=80)
    await traced.reads(*spans)
    (work,) = await traced.reads(*spans, *spans)
    assert times(work)[0] == 1


async def test_pools_and_variants_are_told_apart(traced: Traced) -> None:
    await traced.reads(*traced.request(1, 1, 10), pool="edge")
    await traced.reads(*traced.request(2, 2, 20), pool="cloud")
    works = await traced.reads(*traced.request(3, 3, 30, name="det--int8"), pool="edge")
    assert {(work.pool, work.variant): times(work) for work in works} == {
        ("edge", "fp32"): (1, 1000, 10_000),
        ("cloud", "fp32"): (1, 2000, 20_000),
        ("edge", "int8"): (1, 3000, 30_000),
    }


async def test_halves_of_two_servers_are_never_joined(traced: Traced) -> None:
    model, compute = traced.request(1, 5, 80)
    await traced.reads(model, pool="edge")
    assert await traced.reads(compute, pool="cloud") == ()


async def test_a_request_that_was_never_computed_has_no_times(traced: Traced) -> None:
    model, _ = traced.request(1, 5, 80)
    assert await traced.reads(model) == ()


async def test_models_with_other_names_are_passed_over(traced: Traced) -> None:
    assert await traced.reads(*traced.request(1, 5, 80, name="simple")) == ()


async def test_a_window_that_ran_empty_has_no_reading(traced: Traced) -> None:
    spans = traced.request(1, 5, 80)
    await traced.reads(*spans)
    assert len(await traced.reads(after_s=29)) == 1
    assert await traced.reads(after_s=31) == ()


async def test_events_in_the_wrong_order_are_clipped_and_told(traced: Traced) -> None:
    (work,) = await traced.reads(*traced.request(1, queue_ms=-3, compute_ms=80))
    assert times(work) == (1, 0, 80_000)
    assert traced.findings == ["GW0533"]
    await traced.reads()
    assert traced.findings == []


async def test_a_clock_that_is_ahead_is_clipped_to_now_and_told(traced: Traced, start: datetime) -> None:
    (work,) = await traced.reads(*traced.request(1, 5, 80, at_ns=traced.start_ns + 100 * NS))
    assert work.times.at == start + timedelta(seconds=1)
    assert traced.findings == ["GW0533"]


async def test_a_request_from_the_end_of_time_is_clipped(traced: Traced) -> None:
    assert len(await traced.reads(*traced.request(1, 5, 80, at_ns=2**63))) == 1


async def test_requests_older_than_the_window_are_told_and_not_counted(traced: Traced) -> None:
    assert await traced.reads(*traced.request(1, 5, 80, at_ns=traced.start_ns - 60 * NS)) == ()
    assert traced.findings == ["GW0532"]


async def test_more_series_than_are_kept_are_told(traced: Traced) -> None:
    traced.collector._queue = WindowSeries(timedelta(seconds=30), max_series=1)  # noqa: SLF001 - a thousand take long
    await traced.reads(*traced.request(1, 1, 10), *traced.request(2, 1, 10, name="b--fp32"))
    assert traced.findings == ["GW0534"]


def test_halves_without_a_counterpart_are_bounded_in_number(
    traced: Traced, start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(join, "CAPACITY", 10)
    joined = RequestJoin(SeenIds(timedelta(seconds=60)))
    for number in range(100):
        assert joined.add(traced.request(number, 1, 1)[number % 2], start) is None
    assert len(joined) == 20


def test_halves_without_a_counterpart_are_forgotten_in_time(traced: Traced, start: datetime) -> None:
    joined = RequestJoin(SeenIds(timedelta(seconds=60)))
    joined.add(traced.request(1, 1, 1)[0], start)
    joined.add(traced.request(2, 1, 1)[0], start + join.KEPT_FOR + timedelta(seconds=1))
    assert len(joined) == 1
    assert joined.add(traced.request(2, 1, 1)[1], start) is not None


async def test_a_computation_whose_request_never_came_is_told_once(traced: Traced) -> None:
    _, compute = traced.request(1, 5, 80)
    await traced.reads(compute)
    assert traced.findings == []
    await traced.reads(after_s=62)
    assert traced.findings == ["GW0536"]
    await traced.reads(after_s=63)
    assert traced.findings == []


async def test_a_request_that_failed_before_it_was_computed_is_no_orphan(traced: Traced) -> None:
    model, _ = traced.request(1, 5, 80)
    await traced.reads(model)
    await traced.reads(after_s=62)
    assert traced.findings == []


async def test_half_a_request_that_is_sent_again_is_no_orphan(traced: Traced) -> None:
    model, compute = traced.request(1, 5, 80)
    await traced.reads(model, compute)
    await traced.reads(compute)
    await traced.reads(after_s=62)
    assert traced.findings == []


async def test_a_request_stands_for_as_many_as_its_trace_state_tells(traced: Traced) -> None:
    model, compute = traced.request(1, 5, 80)
    (work,) = await traced.reads(msgspec.structs.replace(model, adjusted_count=4.0), compute)
    assert times(work)[0] == 4
    assert work.times.value is not None
    assert work.times.value.compute.sampled == 1


async def test_a_servers_trace_rate_stands_where_no_trace_state_does(start: datetime) -> None:
    traced = Traced(start)
    traced.collector = TritonSpans(traced.inbox, timedelta(seconds=30), one_in={"edge": 100})
    model, compute = traced.request(2, 5, 80)
    await traced.reads(*traced.request(1, 5, 80), msgspec.structs.replace(model, adjusted_count=4.0), compute)
    works = await traced.reads(*traced.request(3, 5, 80), pool="cloud")
    assert {work.pool: times(work)[0] for work in works} == {"edge": 104, "cloud": 1}


@given(st.permutations(range(12)), st.lists(st.integers(0, 11), max_size=12))
async def test_in_any_order_and_however_often_each_request_counts_once(order: list[int], again: list[int]) -> None:
    start = datetime(2026, 11, 24, tzinfo=UTC)
    traced = Traced(start)
    spans = [span for number in range(6) for span in traced.request(number + 1, 1, 10)]
    for index in (*order, *again):
        await traced.reads(spans[index])
    (work,) = await traced.reads()
    assert times(work)[0] == 6


async def test_the_capture_of_a_real_triton_gives_its_times(data: Path) -> None:
    spans = decode_json((data / "triton_post.json").read_bytes()).spans
    last_ns = max(span.end_ns for span in spans)
    now = datetime.fromtimestamp(last_ns // NS + 1, tz=UTC)
    inbox = Inbox()
    for one in reversed(spans):
        inbox.offer(Batch("edge", (one,)))
    (work,) = (await TritonSpans(inbox).collect(now)).work
    assert (work.model, work.variant) == ("toy", "fp32")
    count, queue_us, compute_us = times(work)
    assert count == 8
    assert 0 <= queue_us < 100_000
    assert 3000 <= compute_us < 100_000
