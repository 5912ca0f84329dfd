"""Putting the controller together: one process with the loop, the receiver of traces and the API."""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from collectors.otlp.over_grpc import serving_grpc
from collectors.otlp.over_http import otlp_router
from collectors.otlp.reading import keep_reading
from collectors.transport import ServersTransport
from controller.acting.triton import TritonServer
from controller.api.app import LOOPBACK, create_app
from controller.api.standby import standing_by
from controller.api.view import View
from controller.background import in_background
from controller.cluster.joining import Cluster, ClusterFleet, Followed, fleet_in, joined, policy_in
from controller.cluster.leading.fencing import DeposedError
from controller.cluster.leading.marking import Pod
from controller.cluster.servers.serving import reached
from controller.connections import Connections, ConnectionsError, ServerKey, journal_place, split_address
from controller.journal.errors import JournalHeldError
from controller.journal.place import Place
from controller.journal.series import SeriesStore
from controller.journal.writer import Journal, Lead
from controller.loop.resuming import resumed
from controller.loop.runner import Runner, Watch
from controller.loop.status import Status
from controller.loop.turn import Wiring
from controller.loop.turn_policy import TurnPolicy, in_no_folder, reading
from controller.loop.vigil import keep_vigil
from controller.planning.decide import decide
from controller.serving import serving
from controller.sites.hub.joining import SiteFleet, sites_in
from controller.sites.hub.registry import SiteRegistry
from controller.summary import Summary, summarise
from controller.telemetry.metrics import TurnMetrics
from controller.telemetry.present import Present
from controller.telemetry.tracing import RecentSpans, tracer_provider
from controller.wiring import Basis, addresses, elsewhere, wire
from policy.git.address import Address
from policy.source import load_documents

KEPT_DECISIONS: Final = 200
ANY: Final = ("0.0.0.0", "::")  # noqa: S104 -- told apart from other addresses, not listened on


@dataclass(frozen=True, slots=True)
class Places:
    """Where the controller finds and keeps what it needs, and the environment in which it reads the policy.

    `policy` is None where it is the custom resources of the cluster that the connections name. `kubeconfig` is a path,
    or several as `KUBECONFIG` has them. `pod` is the one that the controller runs in, None out of one.
    `otlp_endpoint` is for its own spans, empty for none.

    `journal` is its file, beside which stands what is kept of a policy's repository; where the connections name a
    database, that has the journal, and only the rest is beside the file that there would be.
    """

    policy: Path | Address | None
    journal: Path
    connections: Connections
    otlp_endpoint: str = ""
    environment: str = ""
    kubeconfig: str | None = None
    pod: Pod | None = None

    @property
    def kept_in(self) -> Place:
        """What has the journal."""
        return journal_place(self.connections, self.journal)


@dataclass(frozen=True, slots=True)
class Running:
    """A controller at work. `deposed` returns once another replica may lead, and never where there is no cluster.

    `ended` returns once the loop has ended, with the fault that ended it: the rest would go on as if there were one.
    """

    runner: Runner
    spans: RecentSpans
    deposed: Callable[[], Coroutine[Any, Any, None]]
    ended: Callable[[], Coroutine[Any, Any, BaseException | None]]


def now() -> datetime:
    """The clock of the loop."""
    return datetime.now(UTC)


async def _never() -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def controller(
    places: Places, watch: Watch = lambda _: None, reach: Callable[[str], TritonServer] = reached
) -> AsyncIterator[Running]:
    """Run the loop, the receiver and the API until the block ends; in a cluster, once this replica leads.

    `reach` tells by the IP of a server's pod where it answers. Raises JournalError when the journal cannot be opened or
    another controller holds it, CallError when the cluster cannot be reached, and KeysError when the keys of sites with
    agents cannot be used.
    """
    connections = places.connections
    async with contextlib.AsyncExitStack() as stack:
        cluster: Cluster | None = None
        if connections.cluster is not None:
            cluster = await stack.enter_async_context(joined(connections.cluster, places.kubeconfig, places.pod))
            async with serving(standing_by(cluster.leadership, host_names(connections.api)), connections.api):
                await cluster.led()
        journal, series = stack.enter_context(_journal(places.kept_in, partial(_term, cluster) if cluster else None))
        client = await stack.enter_async_context(httpx.AsyncClient(transport=ServersTransport(), trust_env=False))
        bell = Bell()
        in_force, told = await stack.enter_async_context(_policy(places, cluster, bell))
        at_sites = await stack.enter_async_context(_agents(places, journal.term, in_force, bell))
        fleet: ClusterFleet | None = None
        if cluster is not None:
            followed = Followed(in_force.pools, elsewhere(connections, at_sites), bell.ring, now, reach)
            fleet = await stack.enter_async_context(fleet_in(cluster, client, followed))
        basis = Basis(connections, in_force, journal, series, client, now, fleet, at_sites)
        intake, wiring = wire(basis)
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
            told(status)
            watch(status)

        runner = Runner(wiring, resumed(places.kept_in, load_documents), provider.get_tracer("gridwright"), seen)
        bell.wakes = runner.nudge
        in_force.policy = runner.status.in_force.policy
        registry.register(
            Present(
                lambda: runner.status,
                now,
                lambda: receiver.intake.refused_posts,
                intake.counts.totals,
                cluster.answered if cluster else dict,
            )
        )
        view = View(lambda: runner.status, lambda most: tuple(recent)[:most], decide, registry, now)
        await stack.enter_async_context(serving(create_app(view, host_names(connections.api)), connections.api))
        traces = FastAPI(openapi_url=None)
        traces.include_router(otlp_router(receiver))
        await stack.enter_async_context(serving(traces, connections.otlp))
        if connections.otlp_grpc:
            await stack.enter_async_context(serving_grpc(receiver, connections.otlp_grpc))
        await stack.enter_async_context(in_background(keep_reading(intake.readers, now)))
        turning = await stack.enter_async_context(_turning(runner))
        noticed = partial(_noticed, wiring, runner)
        await stack.enter_async_context(in_background(keep_vigil(client, lambda: addresses(basis), noticed)))
        if cluster is not None:
            await stack.enter_async_context(cluster.mark.on())
        yield Running(runner, spans, cluster.deposed if cluster else _never, lambda: _fault_of(turning))


def _noticed(wiring: Wiring, runner: Runner, servers: frozenset[ServerKey]) -> None:
    """Have servers whose liveness changed be read in a turn that begins at once."""
    wiring.again(servers)
    runner.nudge()


class Bell:
    """Wakes the loop, once there is one."""

    def __init__(self) -> None:
        self.wakes: Callable[[], None] = lambda: None

    def ring(self) -> None:
        """Have the next turn begin at once."""
        self.wakes()


@asynccontextmanager
async def _policy(places: Places, cluster: Cluster | None, bell: Bell) -> AsyncIterator[tuple[TurnPolicy, Watch]]:
    """What reads the policy, and who is told of each turn."""
    if places.policy is not None:
        async with reading(places.policy, places.journal, places.environment) as in_force:
            yield in_force, lambda _: None
        return
    if cluster is None:
        raise ConnectionsError("the policy is in a cluster, and the connections name none: add `cluster`")
    async with policy_in(cluster, places.environment, bell.ring, now) as (policy, reporter):
        yield in_no_folder(policy.load, cluster.connection.evidence), reporter.observe


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
async def _agents(places: Places, term: str, in_force: TurnPolicy, bell: Bell) -> AsyncIterator[SiteFleet | None]:
    """The sites with agents, where the connections name any."""
    connection = places.connections.sites
    if connection is None:
        yield None
        return
    with contextlib.closing(SiteRegistry.open(places.kept_in, term)) as registry:
        async with sites_in(connection, registry, in_force.pools, bell.ring, now) as at_sites:
            yield at_sites


def host_names(address: str) -> tuple[str, ...]:
    """The names that a request to an address may use: loopback's, its own and, where it is any, this machine's."""
    host, _ = split_address(address)
    return tuple(dict.fromkeys((*LOOPBACK, host, *(_machine() if host in ANY else ()))))


def _machine() -> Iterator[str]:
    """What this machine is called, and the addresses that it knows of itself: what scrapes a pod knows nothing else."""
    yield from (socket.gethostname(), socket.getfqdn())
    with contextlib.suppress(OSError):
        yield from (str(address[0]) for *_, address in socket.getaddrinfo(socket.gethostname(), None))


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
