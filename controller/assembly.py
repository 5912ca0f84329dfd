"""Putting the controller together: one process with the loop, the receiver of traces and the API."""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from collectors.collector import Collector
from collectors.evidence.files import EvidenceFiles
from collectors.gateway import Gateways, GatewayTarget
from collectors.objective_runs import RunCounts
from collectors.otlp.client_spans import ClientSpans
from collectors.otlp.inbox import Inbox
from collectors.otlp.over_grpc import serving_grpc
from collectors.otlp.over_http import otlp_router
from collectors.otlp.reading import SpanReader, keep_reading
from collectors.otlp.receiver import TraceReceiver
from collectors.otlp.triton_spans import TritonSpans
from collectors.prometheus import PrometheusMetrics, PrometheusTarget
from collectors.prometheus_api import PrometheusEndpoint
from collectors.triton_metrics import MetricsTarget, TritonMetrics
from collectors.triton_repository import RepositoryTarget, TritonRepository
from collectors.triton_statistics import TritonStatistics
from controller.acting.envoy import EnvoyActuator
from controller.acting.triton import TritonActuator, servers_of
from controller.api.app import LOOPBACK, create_app
from controller.api.view import View
from controller.connections import Connections, ServerKey, split_address
from controller.foresight import Foresight
from controller.journal.series import SeriesStore
from controller.journal.writer import Journal
from controller.loop.carrying_out import Hands
from controller.loop.resuming import resumed
from controller.loop.runner import Runner, Watch
from controller.loop.status import Status
from controller.loop.turn import Wiring
from controller.loop.turn_policy import TurnPolicy, reading
from controller.loop.vigil import keep_vigil
from controller.planning.decide import decide
from controller.planning.kept import Kept
from controller.planning.polish import polished
from controller.planning.recheck import recheck
from controller.summary import Summary, summarise
from controller.telemetry.metrics import TurnMetrics
from controller.telemetry.present import Present
from controller.telemetry.tracing import RecentSpans, tracer_provider
from policy.git.address import Address
from policy.source import EVIDENCE, load_documents

HTTP_CONNECTIONS: Final = 20
KEPT_DECISIONS: Final = 200
ANY: Final = ("0.0.0.0", "::")  # noqa: S104 -- told apart from other addresses, not listened on


@dataclass(frozen=True, slots=True)
class Places:
    """Where the controller finds and keeps what it needs, and the environment in which it reads the policy.

    `otlp_endpoint` is for its own spans, empty for none.

    What it keeps of a policy's repository stands beside the journal.
    """

    policy: Path | Address
    journal: Path
    connections: Connections
    otlp_endpoint: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """A controller at work."""

    runner: Runner
    spans: RecentSpans


def now() -> datetime:
    """The clock of the loop."""
    return datetime.now(UTC)


@asynccontextmanager
async def controller(places: Places, watch: Watch = lambda _: None) -> AsyncIterator[Running]:
    """Run the loop, the receiver and the API until the block ends.

    Raises JournalError when the journal cannot be opened or another controller holds it.
    """
    async with contextlib.AsyncExitStack() as stack:
        journal = stack.enter_context(contextlib.closing(Journal.open(places.journal)))
        series = stack.enter_context(contextlib.closing(SeriesStore.open(places.journal)))
        limits = httpx.Limits(max_connections=HTTP_CONNECTIONS)
        client = await stack.enter_async_context(httpx.AsyncClient(limits=limits, trust_env=False))
        in_force = await stack.enter_async_context(reading(places.policy, places.journal, places.environment))
        intake, wiring = _wire(places.connections, in_force, journal, series, client)
        receiver = intake.receiver
        spans, registry = RecentSpans(), CollectorRegistry()
        provider = tracer_provider(spans, places.otlp_endpoint)
        stack.callback(provider.shutdown)
        counted = TurnMetrics(registry)
        recent: deque[Summary] = deque(maxlen=KEPT_DECISIONS)

        def seen(status: Status) -> None:
            counted.observe(status)
            if status.decision is not None and not (recent and recent[0].decision == status.decision.id):
                recent.appendleft(summarise(status.decision, status.in_force.commit))
            watch(status)

        runner = Runner(wiring, resumed(places.journal, load_documents), provider.get_tracer("gridwright"), seen)
        in_force.policy = runner.status.in_force.policy
        registry.register(
            Present(lambda: runner.status, now, lambda: receiver.intake.refused_posts, intake.counts.totals)
        )
        view = View(lambda: runner.status, lambda most: tuple(recent)[:most], decide, registry, now)
        await stack.enter_async_context(
            _serving(create_app(view, host_names(places.connections.api)), places.connections.api)
        )
        traces = FastAPI(openapi_url=None)
        traces.include_router(otlp_router(receiver))
        await stack.enter_async_context(_serving(traces, places.connections.otlp))
        if places.connections.otlp_grpc:
            await stack.enter_async_context(serving_grpc(receiver, places.connections.otlp_grpc))
        await stack.enter_async_context(_watching(keep_reading(intake.readers, now)))
        await stack.enter_async_context(_turning(runner))
        servers = {key: f"http://{server.http}" for key, server in places.connections.by_node().items()}
        await stack.enter_async_context(_watching(keep_vigil(client, servers, runner.nudge)))
        yield Running(runner, spans)


def host_names(address: str) -> tuple[str, ...]:
    """The names that a request to an address may use: loopback's, its own and, where it is any, this machine's."""
    host, _ = split_address(address)
    return tuple(dict.fromkeys((*LOOPBACK, host, *(_machine() if host in ANY else ()))))


def _machine() -> Iterator[str]:
    """What this machine is called, and the addresses that it knows of itself: what scrapes a pod knows nothing else."""
    yield from (socket.gethostname(), socket.getfqdn())
    with contextlib.suppress(OSError):
        yield from (str(address[0]) for *_, address in socket.getaddrinfo(socket.gethostname(), None))


@dataclass(frozen=True, slots=True)
class _TraceIntake:
    """What takes spans in, and what reads them."""

    receiver: TraceReceiver
    readers: tuple[SpanReader, ...]
    counts: RunCounts


def _wire(
    connections: Connections, in_force: TurnPolicy, journal: Journal, series: SeriesStore, client: httpx.AsyncClient
) -> tuple[_TraceIntake, Wiring]:
    servers, applications = Inbox(), Inbox()
    receiver = TraceReceiver(connections.servers, servers, applications)
    rates = {pool: server.trace_rate for pool, server in connections.servers.items()}
    triton_spans = TritonSpans(servers, one_in=rates)
    counts = RunCounts(in_force.services)
    client_spans = ClientSpans(applications, counts=counts)
    triton = servers_of(connections)
    targets = [RepositoryTarget(pool, server.http, node) for (pool, node), server in triton.items()]
    repository = TritonRepository(client, targets)
    gateways = [GatewayTarget(f"http://{item.admin}", tuple(item.origins)) for item in connections.gateways]
    evidence = EvidenceFiles(in_force.folder / EVIDENCE, in_force.issuers)
    collectors: tuple[Collector, ...] = (
        repository,
        TritonStatistics(client, targets),
        *_metrics(client, connections, {key: server.metrics for key, server in triton.items()}),
        Foresight(Gateways(client, gateways, in_force.services), in_force.horizon_s, series),
        receiver,
        triton_spans,
        client_spans,
        evidence,
    )
    envoy = EnvoyActuator(client, connections.gateways)
    kept = Kept()
    wiring = Wiring(
        folder=in_force.folder,
        load=in_force.load,
        collectors=collectors,
        servers=(repository, evidence),
        decide=partial(decide, kept=kept),
        recheck=partial(recheck, kept=kept),
        journal=journal,
        hands=Hands((TritonActuator(client, triton), envoy)),
        clock=now,
        routes=envoy,
        polish=polished,
    )
    return _TraceIntake(receiver, (triton_spans, client_spans), counts), wiring


def _metrics(client: httpx.AsyncClient, connections: Connections, urls: Mapping[ServerKey, str]) -> Iterator[Collector]:
    """What reads the counters of each server: a Prometheus where the connections name one, else a scrape."""
    for item in connections.prometheus:
        endpoint = PrometheusEndpoint(item.url, item.bearer_token_file, item.basic_auth_file, item.ca_file)
        targets = [
            PrometheusTarget(pool, tuple(labels.items()), node) for (pool, node), labels in item.labels().items()
        ]
        yield PrometheusMetrics(endpoint, targets)
    elsewhere = {key for item in connections.prometheus for key in item.labels()}
    targets_here = [
        MetricsTarget(pool, url, node) for (pool, node), url in urls.items() if (pool, node) not in elsewhere
    ]
    yield TritonMetrics(client, targets_here)


class _Server(uvicorn.Server):
    """A server that leaves signals to whoever started the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@asynccontextmanager
async def _serving(app: FastAPI, address: str) -> AsyncIterator[None]:
    """Serve an application at an address while the block runs; signals stay with whoever started the process."""
    host, port = split_address(address)
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False, lifespan="off")
    server = _Server(config)
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if task.done():
                task.result()
            await asyncio.sleep(0.02)
        yield
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def _watching(vigil: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(vigil)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def _turning(runner: Runner) -> AsyncIterator[None]:
    task = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        runner.stop()
        await task
