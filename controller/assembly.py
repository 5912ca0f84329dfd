"""Putting the controller together: one process with the loop, the receiver of traces and the API."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from collectors.otlp.over_grpc import serving_grpc
from collectors.otlp.over_http import otlp_router
from collectors.otlp.reading import keep_reading
from collectors.transport import ServersClient
from controller.acting.triton import TritonServer
from controller.api.app import create_app
from controller.api.view import View
from controller.background import in_background
from controller.cluster.joining import Cluster
from controller.cluster.leading.fencing import DeposedError
from controller.cluster.servers.serving import reached
from controller.connections.connections import Connections
from controller.connections.reading import ConnectionsError
from controller.connections.servers import ServerKey
from controller.host_names import host_names
from controller.journal.errors import JournalHeldError
from controller.journal.place import Place
from controller.journal.series import SeriesStore
from controller.journal.writer import Journal, Lead
from controller.loop.resuming import resumed
from controller.loop.runner import Runner, Watch
from controller.loop.status import Status
from controller.loop.turn import Wiring
from controller.loop.turn_policy import TurnPolicy, reading
from controller.loop.vigil import keep_vigil
from controller.places import Places, now
from controller.planning.decide import decide
from controller.serving import serving
from controller.sites.hub.joining import SiteFleet, sites_in
from controller.sites.hub.registry import SiteRegistry
from controller.summary import Summary, summarise
from controller.taking_over import Ahead, Led, Read, leading
from controller.telemetry.metrics import TurnMetrics
from controller.telemetry.present import Present
from controller.telemetry.tracing import RecentSpans, tracer_provider
from controller.two_sources import Sources, reading_both
from controller.wiring import Basis, TraceIntake, addresses, wire
from policy.source import load_documents

KEPT_DECISIONS: Final = 200


@dataclass(frozen=True, slots=True)
class Running:
    """A controller at work. `deposed` returns once another replica may lead, and never where there is no cluster.

    `ended` returns once the loop has ended, with the fault that ended it: the rest would go on as if there were one.
    """

    runner: Runner
    spans: RecentSpans
    deposed: Callable[[], Coroutine[Any, Any, None]]
    ended: Callable[[], Coroutine[Any, Any, BaseException | None]]


async def _never() -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def controller(
    places: Places, watch: Watch = lambda _: None, reach: Callable[[str], TritonServer] = reached
) -> AsyncIterator[Running]:
    """Run the loop, the receiver and the API until the block ends; in a cluster, once this replica leads.

    `reach` tells by the IP of a server's pod where it answers. Raises JournalError when the journal cannot be opened or
    another controller holds it, CallError when the cluster cannot be reached, KeysError when the keys of sites with
    agents cannot be used, and ConnectionsError when their address cannot.
    """
    connections, ahead = places.connections, Ahead()
    async with contextlib.AsyncExitStack() as stack:
        basis, told, cluster = await stack.enter_async_context(_standing(places, ahead, reach))
        intake, wiring = wire(basis)
        registry, spans = CollectorRegistry(), RecentSpans()
        provider = tracer_provider(spans, places.otlp_endpoint)
        stack.callback(provider.shutdown)
        seen = Seen(TurnMetrics(registry), (told, watch))
        runner = Runner(wiring, resumed(places.kept_in, load_documents), provider.get_tracer("gridwright"), seen)
        ahead.wakes = runner.nudge
        basis.in_force.policy = runner.status.in_force.policy
        registry.register(
            Present(
                lambda: runner.status,
                now,
                lambda: intake.receiver.intake.refused_posts,
                intake.counts.totals,
                cluster.answered if cluster else dict,
            )
        )
        view = View(lambda: runner.status, seen.newest, decide, registry, now)
        await stack.enter_async_context(serving(create_app(view, host_names(connections.api)), connections.api))
        await stack.enter_async_context(_taking_traces(connections, intake))
        turning = await stack.enter_async_context(_turning(runner))
        noticed = partial(_noticed, wiring, runner)
        await stack.enter_async_context(in_background(keep_vigil(basis.client, lambda: addresses(basis), noticed)))
        if cluster is not None:
            await stack.enter_async_context(cluster.mark.on())
        yield Running(runner, spans, cluster.deposed if cluster else _never, lambda: _fault_of(turning))


@asynccontextmanager
async def _standing(
    places: Places, ahead: Ahead, reach: Callable[[str], TritonServer]
) -> AsyncIterator[tuple[Basis, Watch, Cluster | None]]:
    """What the loop stands on, who is told of each turn, and the cluster, once this replica leads there."""
    connections = places.connections
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(ServersClient())
        led: Led | None = None
        if connections.cluster is not None:
            led = await stack.enter_async_context(leading(places, connections.cluster, client, ahead, reach))
        cluster, fleet, read = (led.cluster, led.fleet, led.read) if led else (None, None, None)
        journal, series = stack.enter_context(_journal(places.kept_in, partial(_term, cluster) if cluster else None))
        if read is None:
            read = await stack.enter_async_context(_policy(places, cluster, ahead))
        in_force, told = read
        ahead.known = lambda: in_force.policy
        at_sites = ahead.at_sites = await stack.enter_async_context(_agents(places, journal.term, in_force, ahead))
        yield Basis(connections, in_force, journal, series, client, now, fleet, at_sites), told, cluster


class Seen:
    """Takes each turn's status: counts it, remembers the newest decisions, and tells others."""

    def __init__(self, counted: TurnMetrics, others: Sequence[Watch]) -> None:
        self._counted = counted
        self._others = others
        self._recent: deque[Summary] = deque(maxlen=KEPT_DECISIONS)

    def __call__(self, status: Status) -> None:
        """Take one."""
        self._counted.observe(status)
        decision, recent = status.decision, self._recent
        if decision is not None and not (recent and recent[0].decision == decision.id):
            recent.appendleft(summarise(decision, status.in_force.commit))
        for tell in self._others:
            tell(status)

    def newest(self, most: int) -> tuple[Summary, ...]:
        """The newest decisions, the last one first."""
        return tuple(self._recent)[:most]


@asynccontextmanager
async def _taking_traces(connections: Connections, intake: TraceIntake) -> AsyncIterator[None]:
    """Take spans in over HTTP, and over gRPC where the connections say so, and have them read, in the block."""
    traces = FastAPI(openapi_url=None)
    traces.include_router(otlp_router(intake.receiver))
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(serving(traces, connections.otlp))
        if connections.otlp_grpc:
            await stack.enter_async_context(serving_grpc(intake.receiver, connections.otlp_grpc))
        await stack.enter_async_context(in_background(keep_reading(intake.readers, now)))
        yield


def _noticed(wiring: Wiring, runner: Runner, servers: frozenset[ServerKey]) -> None:
    """Have servers whose liveness changed be read in a turn that begins at once."""
    wiring.again(servers)
    runner.nudge()


@asynccontextmanager
async def _policy(places: Places, cluster: Cluster | None, ahead: Ahead) -> AsyncIterator[Read]:
    """The policy of a folder or a repository, and of a cluster beside it where the connections have it so.

    What is kept of a repository is the leader's, as the journal is.
    """
    if places.policy is None:
        raise ConnectionsError("the policy is in a cluster, and the connections name none: add `cluster`")
    if cluster is not None and cluster.connection.custom_resources is not None:
        wins = cluster.connection.custom_resources == "wins"
        sources = Sources(places.policy, cluster, wins, places.journal, places.environment)
        async with reading_both(sources, ahead.ring, now) as (both, telling):
            yield both, telling.observe
        return
    async with reading(places.policy, places.journal, places.environment) as in_force:
        yield in_force, lambda _: None


@contextlib.contextmanager
def _journal(place: Place, lead: Lead | None) -> Iterator[tuple[Journal, SeriesStore]]:
    """The journal and the series beside it, which this controller alone writes."""
    with (
        contextlib.closing(Journal.open(place, lead=lead)) as journal,
        contextlib.closing(SeriesStore.open(place, journal.term)) as series,
    ):
        yield journal, series


def _term(cluster: Cluster) -> str:
    """The term in which this replica leads, and so may write the journal."""
    try:
        return cluster.leadership.term()
    except DeposedError as error:
        raise JournalHeldError(f"this replica may not write the journal, as {error}: start it again") from error


@asynccontextmanager
async def _agents(places: Places, term: str, in_force: TurnPolicy, ahead: Ahead) -> AsyncIterator[SiteFleet | None]:
    """The sites with agents, where the connections name any."""
    connection = places.connections.sites
    if connection is None:
        yield None
        return
    with contextlib.closing(SiteRegistry.open(places.kept_in, term)) as registry:
        async with sites_in(connection, registry, in_force.pools, ahead.ring, now) as at_sites:
            yield at_sites


@asynccontextmanager
async def _turning(runner: Runner) -> AsyncIterator[asyncio.Task[None]]:
    """Run the loop while the block runs. A fault that ended it before is for `_fault_of` to tell."""
    task = asyncio.create_task(runner.run())
    try:
        yield task
    finally:
        runner.stop()
        if not task.done():
            await task


async def _fault_of(turning: asyncio.Task[None]) -> BaseException | None:
    """Wait until a task has ended, and tell why; None when it was told to."""
    await asyncio.wait({turning})
    return None if turning.cancelled() else turning.exception()
