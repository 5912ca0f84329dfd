"""Several servers of one pool: each is read on its own, and one that is away takes nothing from the others."""

import json
from datetime import datetime, timedelta

import httpx
import loopback
from loopback import Source

from collectors.collector import Collector
from collectors.fetch import Limits
from collectors.snapshot import BatchTime, ServerState, Snapshot, StageWork
from collectors.transport import ServersClient
from collectors.triton_counters import COUNTERS, PENDING
from collectors.triton_metrics import MetricsTarget, TritonMetrics
from collectors.triton_repository import RepositoryTarget, TritonRepository
from collectors.triton_statistics import TritonStatistics

POOL, NODES = "edge", ("edge-0", "edge-1")
STEP = timedelta(seconds=5)
GONE = loopback.body(b"", 503)


def said(what: object) -> loopback.Answer:
    return loopback.body(json.dumps(what).encode())


def repositories(source: Source) -> list[RepositoryTarget]:
    return [RepositoryTarget(POOL, f"{source.url}/{node}", node) for node in NODES]


def executed(batches: int) -> object:
    took = {"count": batches, "ns": batches * 2_000_000}
    return {"model_stats": [{"name": "det--fp32", "batch_stats": [{"batch_size": 1, "compute_infer": took}]}]}


def exposition(value: int) -> loopback.Answer:
    text = "".join(f'{family}{{model="det--fp32",version="1"}} {value}\n' for family in (*COUNTERS, PENDING))
    return loopback.body(text.encode())


async def looks(collector: Collector, source: Source, now: datetime, *answers: dict[str, loopback.Answer]) -> Snapshot:
    """What is seen at the last of several looks, five seconds apart."""
    for index, answer in enumerate(answers):
        source.answers = {"": GONE, **answer}
        seen = await collector.collect(now + index * STEP)
    return seen


async def test_what_one_node_holds_is_read_while_the_other_is_away(
    client: httpx.AsyncClient, source: Source, start: datetime
) -> None:
    there = {"/edge-0/v2/repository/index": said([])}
    seen = await looks(TritonRepository(client, repositories(source)), source, start, there)
    assert seen.server(POOL, "edge-0").value == ServerState(())
    assert seen.server(POOL, "edge-1").value is None
    assert [server.name for server in seen.servers] == ["edge/edge-0", "edge/edge-1"]
    assert [finding.subject for finding in seen.findings] == ["pool edge, node edge-1"]


async def test_what_is_gained_is_gained_by_each_node(
    client: httpx.AsyncClient, source: Source, start: datetime
) -> None:
    statistics = [
        {f"/{node}/v2/models/stats": said(executed(done)) for node, done in zip(NODES, counts, strict=True)}
        for counts in ((10, 500), (13, 501))
    ]
    seen = await looks(TritonStatistics(client, repositories(source)), source, start, *statistics)
    assert {item.node: item.reading.value for item in seen.batches} == {
        "edge-0": (BatchTime(1, 3, 6_000),),
        "edge-1": (BatchTime(1, 1, 2_000),),
    }


async def test_counters_are_of_a_node_and_become_old_with_it_alone(
    client: httpx.AsyncClient, source: Source, start: datetime
) -> None:
    targets = [MetricsTarget(POOL, f"{source.url}/{node}", node) for node in NODES]
    both = [{f"/{node}": exposition(value) for node in NODES} for value in (1, 5)]
    seen = await looks(TritonMetrics(client, targets), source, start, *both, {"/edge-0": exposition(6)})
    assert {work.node: work.counters.at for work in seen.work} == {"edge-0": start + 2 * STEP, "edge-1": start + STEP}
    assert [finding.subject for finding in seen.findings] == ["pool edge, node edge-1"]
    (first, second) = (work.counters.value for work in seen.work)
    assert isinstance(first, StageWork)
    assert isinstance(second, StageWork)
    assert second.requests == 4


async def test_servers_that_hang_take_no_connection_from_one_that_answers(source: Source, start: datetime) -> None:
    source.answers = {"/up/v2/repository/index": said([]), "": loopback.a_byte_at_a_time}
    names = [f"hung-{number}" for number in range(60)]
    targets = [RepositoryTarget(POOL, f"{source.url}/{name}", name) for name in (*names, "up")]
    async with ServersClient() as client:
        seen = await TritonRepository(client, targets, Limits(total=timedelta(milliseconds=500))).collect(start)
    assert [server.node for server in seen.servers if server.reading.value is not None] == ["up"]
