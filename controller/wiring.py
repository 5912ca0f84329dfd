"""What a loop is made of, out of what the connections document names and what a cluster has."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import httpx

from collectors.collector import Collector
from collectors.evidence.files import EvidenceFiles
from collectors.gateway import Gateways, GatewayTarget, arriving
from collectors.objective_runs import RunCounts
from collectors.otlp.client_spans import ClientSpans
from collectors.otlp.inbox import Inbox
from collectors.otlp.reading import SpanReader
from collectors.otlp.receiver import TraceReceiver
from collectors.otlp.triton_spans import TritonSpans
from collectors.prometheus import PrometheusMetrics, PrometheusTarget
from collectors.prometheus_api import PrometheusEndpoint
from collectors.rotation import Asked, Rotation
from collectors.triton_metrics import MetricsTarget, TritonMetrics
from collectors.triton_repository import RepositoryTarget, TritonRepository
from collectors.triton_statistics import TritonStatistics
from controller.acting.actuator import Actuator
from controller.acting.envoy import EnvoyActuator
from controller.acting.triton import TritonActuator, TritonServer, servers_of
from controller.clocks import Clock
from controller.cluster.joining import ClusterFleet
from controller.cluster.routes.routing import RoutesActuator
from controller.connections.connections import Connections
from controller.connections.servers import ServerKey
from controller.foresight import Foresight
from controller.journal.series import SeriesStore
from controller.journal.writer import Journal
from controller.loop.at_work import Hands
from controller.loop.turn import COLLECTED_S, Decide, Upkeep, Wiring
from controller.loop.turn_policy import TurnPolicy
from controller.planning.decide import decide
from controller.planning.kept import Kept
from controller.planning.polish import polished
from controller.planning.recheck import recheck
from controller.sites.hub.acting import SiteRoutes, SiteServers
from controller.sites.hub.collecting import SiteArrivals
from controller.sites.hub.deciding import DecidingForSites, SiteUpkeep
from controller.sites.hub.joining import SiteFleet

Item = TypeVar("Item")
SetsRoutes = EnvoyActuator | RoutesActuator
"""What sets and reads the routes of gateways: of one's own, or of a cluster."""
COLLECTED_IN_A_CLUSTER_S: Final = 150.0
"""Thousands of servers that are all new are asked in one turn. Each answers within its own time."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a loop stands on. `fleet` is that of a cluster, `at_sites` that of agents, where there are any."""

    connections: Connections
    in_force: TurnPolicy
    journal: Journal
    series: SeriesStore
    client: httpx.AsyncClient
    clock: Clock
    fleet: ClusterFleet | None = None
    at_sites: SiteFleet | None = None


@dataclass(frozen=True, slots=True)
class TraceIntake:
    """What takes spans in, and what reads them."""

    receiver: TraceReceiver
    readers: tuple[SpanReader, ...]
    counts: RunCounts


class Looked(Iterable[Item]):
    """What a look gives, each time anew. It has no length: going through it would take a second look for that."""

    def __init__(self, look: Callable[[], Iterable[Item]]) -> None:
        self._look = look

    def __iter__(self) -> Iterator[Item]:
        return iter(self._look())


class LookedUp(Looked[Item], Collection[Item]):
    """Such things, to be looked up."""

    def __contains__(self, item: object) -> bool:
        return item in tuple(self._look())

    def __len__(self) -> int:
        return len(tuple(self._look()))


def elsewhere(connections: Connections, at_sites: Callable[[], SiteFleet | None]) -> Collection[str]:
    """The pools without servers in a cluster: those that the document names, and those of sites with agents."""

    def named() -> Iterator[str]:
        yield from connections.servers
        if sites := at_sites():
            yield from sites.sites.pool_names()

    return LookedUp(named)


def servers_among(basis: Basis) -> Mapping[ServerKey, TritonServer]:
    """Where every server answers now, whether the document names it or a cluster has it."""
    named = servers_of(basis.connections)
    return {**basis.fleet.servers.now(), **named} if basis.fleet else named


def addresses(basis: Basis) -> Mapping[ServerKey, str]:
    """The base address of each server, as it is now."""
    return {key: each.http for key, each in servers_among(basis).items()}


def wire(basis: Basis) -> tuple[TraceIntake, Wiring]:
    """A loop's parts, put together."""
    connections, in_force, client, fleet = basis.connections, basis.in_force, basis.client, basis.fleet
    intake, spans = _trace_intake(basis)
    targets = Looked(
        lambda: [
            RepositoryTarget(pool, each.http, node, each.process) for (pool, node), each in servers_among(basis).items()
        ]
    )
    held, done = _rotation(basis), _rotation(basis)
    repository = TritonRepository(client, targets, rotation=held)
    gateways = [GatewayTarget(f"http://{item.admin}", tuple(item.origins)) for item in connections.gateways]
    arrivals = Gateways(client, gateways, lambda: arriving(in_force.services()), interval_s=in_force.interval_s)
    evidence = EvidenceFiles(in_force.evidence, in_force.issuers)
    inventory: tuple[Collector, ...] = (fleet.inventory,) if fleet else ()
    at_sites: tuple[Collector, ...] = (basis.at_sites.readings,) if basis.at_sites else ()
    collectors: tuple[Collector, ...] = (
        repository,
        TritonStatistics(client, targets, rotation=done),
        *_metrics(basis, done),
        Foresight(_arrivals(basis, arrivals), in_force.horizon_s, basis.series),
        intake.receiver,
        *spans,
        evidence,
        *inventory,
        *at_sites,
    )
    routes = _routes(basis, fleet.routes if fleet and fleet.routes else EnvoyActuator(client, connections.gateways))
    kept = Kept()
    wiring = Wiring(
        folder=in_force.folder,
        load=in_force.load,
        collectors=collectors,
        servers=(repository, evidence, *inventory, *at_sites),
        decide=_deciding(basis, partial(decide, kept=kept)),
        recheck=partial(recheck, kept=kept),
        journal=basis.journal,
        hands=Hands(_actuators(basis, routes)),
        clock=basis.clock,
        routes=routes,
        polish=polished,
        answer=kept.answered,
        upkeep=_upkeep(basis),
        again=held.again,
        collect_deadline_s=COLLECTED_IN_A_CLUSTER_S if fleet else COLLECTED_S,
    )
    return intake, wiring


def _rotation(basis: Basis) -> Rotation:
    """Whose turn it is among all servers."""

    def servers() -> Iterator[Asked]:
        yield from (Asked(pool, node, each.process) for (pool, node), each in servers_among(basis).items())

    return Rotation(servers, basis.in_force.interval_s, basis.in_force.stale_after_s)


def _actuators(basis: Basis, routes: SetsRoutes | SiteRoutes) -> tuple[Actuator, ...]:
    """Those of sites with agents, of a cluster's servers, of servers that the document names, and of gateways.

    In a cluster only the leader acts.
    """
    triton = TritonActuator(basis.client, servers_of(basis.connections))
    at_sites: tuple[Actuator, ...] = (SiteServers(basis.at_sites.desk),) if basis.at_sites else ()
    fleet = basis.fleet
    if fleet is None:
        return (*at_sites, triton, routes)
    return (*map(fleet.led_by_us, at_sites), fleet.actuator, fleet.led_by_us(triton), fleet.led_by_us(routes))


def _routes(basis: Basis, gateways: SetsRoutes) -> SetsRoutes | SiteRoutes:
    """What sets and reads routes, at gateways and at sites with agents."""
    return SiteRoutes(basis.at_sites.desk, gateways, gateways) if basis.at_sites else gateways


def _arrivals(basis: Basis, gateways: Gateways) -> Collector:
    return SiteArrivals(basis.at_sites.sites, gateways) if basis.at_sites else gateways


def _deciding(basis: Basis, decides: Decide) -> Decide:
    return DecidingForSites(decides, basis.at_sites.desk) if basis.at_sites else decides


def _upkeep(basis: Basis) -> Upkeep | None:
    of_cluster = basis.fleet.upkeep if basis.fleet else None
    return SiteUpkeep(basis.at_sites.desk, of_cluster) if basis.at_sites else of_cluster


def _trace_intake(basis: Basis) -> tuple[TraceIntake, tuple[TritonSpans, ClientSpans]]:
    connections, in_force, fleet = basis.connections, basis.in_force, basis.fleet
    servers, applications = Inbox(), Inbox()
    pools = LookedUp(in_force.pool_names) if fleet else connections.servers
    rates = {pool: server.trace_rate for pool, server in connections.servers.items()}
    of_servers = TritonSpans(servers, one_in=rates, otherwise=fleet.trace_rate if fleet else 1)
    counts = RunCounts(in_force.services)
    of_clients = ClientSpans(applications, counts=counts)
    intake = TraceIntake(TraceReceiver(pools, servers, applications), (of_servers, of_clients), counts)
    return intake, (of_servers, of_clients)


def _metrics(basis: Basis, rotation: Rotation) -> Iterator[Collector]:
    """What reads the counters of each server: a Prometheus where the connections name one, else a scrape."""
    connections = basis.connections
    for item in connections.prometheus:
        endpoint = PrometheusEndpoint(item.url, item.bearer_token_file, item.basic_auth_file, item.ca_file)
        targets = [
            PrometheusTarget(pool, tuple(labels.items()), node) for (pool, node), labels in item.labels().items()
        ]
        yield PrometheusMetrics(endpoint, targets)
    elsewhere = {key for item in connections.prometheus for key in item.labels()}
    scraped = Looked(
        lambda: [
            MetricsTarget(pool, each.metrics, node, each.process)
            for (pool, node), each in servers_among(basis).items()
            if (pool, node) not in elsewhere
        ]
    )
    yield TritonMetrics(basis.client, scraped, rotation=rotation)
