from datetime import datetime, timedelta
from typing import Any

import pytest
from posts import NS, run_span

from collectors.otlp.client_spans import ClientSpans
from collectors.otlp.ids import SeenIds
from collectors.otlp.inbox import Batch, Inbox
from collectors.otlp.spans import Span
from collectors.snapshot import Latency, Snapshot

MS = 1_000_000


class Application:
    """A collector, and the runs that an application tells it of."""

    def __init__(self, start: datetime) -> None:
        self.inbox = Inbox()
        self.collector = ClientSpans(self.inbox, timedelta(seconds=30))
        self.start = start
        self.start_ns = int(start.timestamp()) * NS

    def run(self, number: int, took_ms: int, **fields: Any) -> Span:
        return run_span(number, "ocr", "paris", self.start_ns, self.start_ns + took_ms * MS, **fields)

    async def reads(self, *spans: Span, after_s: float = 1.0) -> tuple[Latency, ...]:
        self.inbox.offer(Batch("", spans))
        self.snapshot: Snapshot = await self.collector.collect(self.start + timedelta(seconds=after_s))
        return self.snapshot.latency

    @property
    def findings(self) -> list[str]:
        return [finding.id for finding in self.snapshot.findings]


@pytest.fixture
def application(start: datetime) -> Application:
    return Application(start)


async def test_latency_is_what_runs_took(application: Application, start: datetime) -> None:
    (latency,) = await application.reads(*(application.run(number, number) for number in range(1, 101)))
    assert (latency.service, latency.origin, latency.errors) == ("ocr", "paris", 0)
    assert latency.reading.value is not None
    assert (latency.reading.value.p50_us, latency.reading.value.p99_us) == (50_000, 99_000)
    assert latency.reading.at == start + timedelta(milliseconds=100)


async def test_a_run_that_failed_is_an_error_and_no_latency(application: Application) -> None:
    (latency,) = await application.reads(application.run(1, 900), application.run(2, 1, failed=True))
    assert latency.reading.value is not None
    assert (latency.reading.value.count, latency.reading.value.p50_us, latency.errors) == (1, 900_000, 1)
    assert application.findings == ["GW0535"]
    assert "1 of 2 runs" in application.snapshot.findings[0].message


async def test_a_demand_whose_runs_all_failed_has_errors_and_no_latency(application: Application) -> None:
    (latency,) = await application.reads(application.run(1, 1, failed=True))
    assert (latency.reading.value, latency.reading.at, latency.errors) == (None, None, 1)


async def test_errors_leave_the_window_as_runs_do(application: Application) -> None:
    await application.reads(application.run(1, 1, failed=True))
    assert await application.reads(after_s=31) == ()


async def test_a_run_that_is_told_twice_counts_once(application: Application) -> None:
    run = application.run(1, 5)
    await application.reads(run)
    (latency,) = await application.reads(run)
    assert latency.reading.value is not None
    assert latency.reading.value.count == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": 2},
        {"attributes": {}},
        {"attributes": {"gridwright.service": "ocr"}},
        {"attributes": {"gridwright.origin": "paris"}},
    ],
)
async def test_other_spans_are_no_runs(application: Application, fields: dict[str, Any]) -> None:
    assert await application.reads(application.run(1, 5, **fields)) == ()


async def test_a_run_that_ends_before_it_starts_took_nothing_and_is_told(application: Application) -> None:
    (latency,) = await application.reads(application.run(1, -5))
    assert latency.reading.value is not None
    assert latency.reading.value.p99_us == 0
    assert application.findings == ["GW0533"]


async def test_runs_and_errors_count_for_as_many_as_they_stand_for(application: Application) -> None:
    (latency,) = await application.reads(
        application.run(1, 5, adjusted_count=10.0), application.run(2, 5, adjusted_count=2.0, failed=True)
    )
    assert latency.reading.value is not None
    assert (latency.reading.value.count, latency.reading.value.sampled, latency.errors) == (10, 1, 2)


def test_ids_that_go_for_want_of_room_are_told_once(start: datetime) -> None:
    seen = SeenIds(timedelta(seconds=60), capacity=2)
    for identity in (b"a", b"b", b"c"):
        seen.first_time(identity, start)
    (finding,) = seen.findings("client_spans")
    assert (finding.id, finding.message.split()[0]) == ("GW0537", "1")
    seen.first_time(b"d", start + timedelta(seconds=60))
    assert seen.findings("client_spans") == ()


def test_ids_are_forgotten_in_time_and_bounded_in_number(start: datetime) -> None:
    seen = SeenIds(timedelta(seconds=60), capacity=2)
    assert seen.first_time(b"a", start)
    assert not seen.first_time(b"a", start)
    assert seen.first_time(b"b", start)
    assert seen.first_time(b"c", start)
    assert seen.first_time(b"a", start)
    assert not seen.first_time(b"c", start)
    assert seen.first_time(b"d", start + timedelta(seconds=60))
    assert seen.first_time(b"c", start + timedelta(seconds=60))
