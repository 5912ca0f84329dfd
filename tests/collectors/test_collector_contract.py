"""What every collector promises, whatever its source does."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import loopback
import pytest
from fastapi import FastAPI
from loopback import Source
from sample_services import ocr

import collectors
from collectors.collector import Collector
from collectors.evidence.files import EvidenceFiles
from collectors.fetch import Limits
from collectors.gateway import Gateways, GatewayTarget, arriving
from collectors.otlp.client_spans import ClientSpans
from collectors.otlp.inbox import Inbox
from collectors.otlp.over_http import otlp_router
from collectors.otlp.receiver import PostLimits, TraceReceiver
from collectors.otlp.triton_spans import TritonSpans
from collectors.prometheus import PrometheusMetrics, PrometheusTarget
from collectors.prometheus_api import PrometheusEndpoint
from collectors.snapshot import Reading, Snapshot
from collectors.triton_metrics import MetricsTarget, TritonMetrics
from collectors.triton_repository import RepositoryTarget, TritonRepository
from collectors.triton_statistics import TritonStatistics

LIMITS = Limits(total=timedelta(seconds=0.5), max_bytes=65_536)

Make = Callable[[httpx.AsyncClient, str], Collector]

READS: dict[type, Make] = {
    TritonMetrics: lambda client, url: TritonMetrics(client, [MetricsTarget("edge", f"{url}/metrics")], limits=LIMITS),
    TritonRepository: lambda client, url: TritonRepository(client, [RepositoryTarget("edge", url)], limits=LIMITS),
    TritonStatistics: lambda client, url: TritonStatistics(client, [RepositoryTarget("edge", url)], limits=LIMITS),
    PrometheusMetrics: lambda _, url: PrometheusMetrics(
        PrometheusEndpoint(url), [PrometheusTarget("edge", (("instance", "here"),))], limits=LIMITS
    ),
    Gateways: lambda client, url: Gateways(
        client, [GatewayTarget(url, ("paris",))], lambda: arriving([ocr()]), limits=LIMITS
    ),
}
IS_POSTED_TO = {TraceReceiver, TritonSpans, ClientSpans}
READS_FILES = {EvidenceFiles}

reading_collectors = pytest.mark.parametrize("make", READS.values(), ids=[kind.__name__ for kind in READS])


def collector_classes() -> Iterator[type]:
    for module in pkgutil.walk_packages(collectors.__path__, "collectors."):
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if kind.__module__ == module.name and kind is not Collector and hasattr(kind, "collect"):
                yield kind


def readings(snapshot: Snapshot) -> Iterator[Reading[object]]:
    for item in (*snapshot.servers, *snapshot.offered, *snapshot.latency):
        yield item.reading
    for batches in snapshot.batches:
        yield batches.reading
    for work in snapshot.work:
        yield from (work.counters, work.times)


def assert_honest(snapshot: Snapshot, now: datetime, finding: str) -> None:
    assert snapshot.at == now
    assert {reading.value for reading in readings(snapshot)} <= {None}
    assert [item.id for item in snapshot.findings] == [finding]
    assert snapshot.findings[0].hint


def test_every_collector_is_held_to_the_contract() -> None:
    assert set(collector_classes()) == set(READS) | IS_POSTED_TO | READS_FILES


@reading_collectors
async def test_a_source_that_is_away_gives_no_value(make: Make, client: httpx.AsyncClient, start: datetime) -> None:
    assert_honest(await make(client, loopback.nobody_there()).collect(start), start, "GW0501")


@reading_collectors
async def test_a_source_that_breaks_off_gives_no_value(
    make: Make, client: httpx.AsyncClient, source: Source, start: datetime
) -> None:
    source.answers[""] = loopback.breaking_off
    assert_honest(await make(client, source.url).collect(start), start, "GW0501")


@reading_collectors
@pytest.mark.parametrize("answer", [loopback.silence, loopback.a_byte_at_a_time])
async def test_a_source_that_is_slow_is_not_waited_for(
    make: Make, answer: loopback.Answer, client: httpx.AsyncClient, source: Source, start: datetime
) -> None:
    source.answers[""] = answer
    assert_honest(await make(client, source.url).collect(start), start, "GW0502")


@reading_collectors
async def test_a_source_that_never_ends_is_read_to_the_limit(
    make: Make, client: httpx.AsyncClient, source: Source, start: datetime
) -> None:
    source.answers[""] = loopback.for_ever(source)
    assert_honest(await make(client, source.url).collect(start), start, "GW0503")
    assert source.sent_bytes < 64 * LIMITS.max_bytes  # what the sockets' buffers hold besides


@reading_collectors
@pytest.mark.parametrize("status", [204, 301, 404, 500])
async def test_any_status_but_200_gives_no_value(
    make: Make, status: int, client: httpx.AsyncClient, source: Source, start: datetime
) -> None:
    source.answers[""] = loopback.body(b"", status, "location: http://127.0.0.1:9/\r\n")
    assert_honest(await make(client, source.url).collect(start), start, "GW0504")


@reading_collectors
@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"<html>welcome</html>",
        b"\xff\xfe\x00nv_envoy_server_live",
        b"[" * 60_000,
        b'{"name": 3}',
        b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,2]]}]}}',
        b"nv_inference_count{model= 1\nenvoy_server_live{} 1\nenvoy_http_local_rate_limit_enabled{ 1",
    ],
)
async def test_garbage_gives_no_value(
    make: Make, garbage: bytes, client: httpx.AsyncClient, source: Source, start: datetime
) -> None:
    source.answers[""] = loopback.body(garbage)
    assert_honest(await make(client, source.url).collect(start), start, "GW0505")


@reading_collectors
async def test_an_answer_that_could_inflate_is_not_inflated(
    make: Make, client: httpx.AsyncClient, source: Source, start: datetime
) -> None:
    source.answers[""] = loopback.body(b"\x1f\x8b\x08\x00", headers="content-encoding: gzip\r\n")
    assert_honest(await make(client, source.url).collect(start), start, "GW0505")


@pytest.mark.parametrize("kind", [TritonSpans, ClientSpans])
async def test_a_collector_that_nobody_posts_to_has_no_readings(
    kind: type[TritonSpans | ClientSpans], start: datetime
) -> None:
    snapshot = await kind(Inbox()).collect(start)
    assert snapshot == Snapshot(start)


@pytest.mark.parametrize("post", [b"", b"\xff" * 100, b"x" * 4096, b'{"resourceSpans": 1}'])
async def test_garbage_and_enormous_posts_are_refused_and_told_once(post: bytes, start: datetime) -> None:
    receiver = TraceReceiver(["edge"], Inbox(), Inbox(), PostLimits(body_bytes=1000))
    app = FastAPI()
    app.include_router(otlp_router(receiver))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://receiver") as client:
        answer = await client.post("/v1/traces", content=post, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 413}
    first, second = await receiver.collect(start), await receiver.collect(start)
    assert [item.id for item in first.findings] == ["GW0531"]
    assert second == Snapshot(start)


async def test_a_folder_that_is_away_gives_no_evidence(tmp_path: Path, start: datetime) -> None:
    assert await EvidenceFiles(tmp_path / "nowhere", tuple).collect(start) == Snapshot(start)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"kind: [", b"kind: Evidence\n", b"- " * 5_000_000, b"[" * 100_000])
async def test_garbage_and_enormous_files_give_no_evidence(tmp_path: Path, content: bytes, start: datetime) -> None:
    (tmp_path / "claim.yaml").write_bytes(content)
    snapshot = await EvidenceFiles(tmp_path, tuple).collect(start)
    assert (snapshot.at, snapshot.evidence) == (start, ())
    assert snapshot.findings
    assert all(finding.hint for finding in snapshot.findings)
