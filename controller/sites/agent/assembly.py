"""Putting an agent together, out of what its connections document names."""

import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
from fastapi import FastAPI

from collectors.collector import Collector
from collectors.gateway import Gateways, GatewayTarget
from collectors.otlp.client_spans import ClientSpans
from collectors.otlp.inbox import Inbox
from collectors.otlp.over_http import otlp_router
from collectors.otlp.reading import keep_reading
from collectors.otlp.receiver import TraceReceiver
from collectors.otlp.triton_spans import TritonSpans
from collectors.transport import ServersClient
from collectors.triton_metrics import MetricsTarget, TritonMetrics
from collectors.triton_repository import RepositoryTarget, TritonRepository
from collectors.triton_statistics import TritonStatistics
from controller.acting.envoy import EnvoyActuator
from controller.acting.triton import TritonActuator, servers_of
from controller.background import in_background
from controller.connections.connections import Connections
from controller.connections.servers import ServerKey
from controller.connections.sites import AgentConnection
from controller.serving import serving
from controller.sites.agent.acting import Hands
from controller.sites.agent.agent import Agent, Parts
from controller.sites.agent.enrolled import enrolled
from controller.sites.agent.hub_calls import Hub
from controller.sites.agent.intent import Site
from controller.sites.agent.keeping import AgentError, keep_state, kept_state, open_folder
from controller.sites.agent.limits import ServerLimits
from controller.sites.agent.looking import Looking, arriving_in
from controller.sites.agent.remotes import Remotes
from controller.sites.agent.sketches import Sketches
from controller.sites.agent.state import AgentState
from controller.sites.site_plan import SitePlan

LOG: Final = logging.getLogger("gridwright.agent")


@dataclass(frozen=True, slots=True)
class Places:
    """What an agent is started with: its site, where things are, the folder that it keeps, a token where it has one."""

    site: str
    connections: Connections
    folder: Path
    token: str = ""


def now() -> datetime:
    """The agent's clock."""
    return datetime.now(UTC)


@asynccontextmanager
async def agent_of(places: Places) -> AsyncIterator[Agent]:
    """An agent that is registered and goes on from what it kept; what it listens on is served in the block.

    Raises AgentError.
    """
    connections = places.connections
    agent = connections.agent
    if agent is None:
        raise AgentError("the connections name no hub; add `agent`: see docs/sites.md")
    open_folder(places.folder)
    identity = await enrolled(places.folder, places.site, agent.hub, agent.ca_file, places.token)
    state = kept_state(places.folder, places.site) or AgentState(places.site, now(), now())
    state = replace(state, starts=state.starts + 1)
    try:
        keep_state(places.folder, state)
    except AgentError as error:
        LOG.warning("%s", error)  # evidence ends all the same, and somebody has to see to that
    sketches = Sketches(now())
    of_servers, of_applications = Inbox(), Inbox()
    rates = {pool: server.trace_rate for pool, server in connections.servers.items()}
    stages = TritonSpans(of_servers, one_in=rates, told=sketches.add_stage)
    runs = ClientSpans(of_applications, told=sketches.add_run)
    receiver = TraceReceiver(connections.servers, of_servers, of_applications)
    traces = FastAPI(openapi_url=None)
    traces.include_router(otlp_router(receiver))
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(ServersClient())
        await stack.enter_async_context(serving(traces, connections.otlp))
        await stack.enter_async_context(in_background(keep_reading((stages, runs), now)))
        gateways = EnvoyActuator(client, connections.gateways) if connections.gateways else None
        parts = Parts(
            Site(limits_of(connections, agent)),
            places.folder,
            lambda identity: Hub(agent.hub, agent.ca_file, identity),
            lambda plan: Looking(
                (*_collectors(connections, client, plan), runs),
                gateways,
                Remotes(client, [item.admin for item in connections.gateways]),
            ),
            Hands(TritonActuator(client, servers_of(connections)), gateways),
            sketches,
            now,
        )
        yield Agent(parts, state, identity)


def limits_of(connections: Connections, agent: AgentConnection) -> dict[ServerKey, ServerLimits]:
    """The limits of each server: those of its pool."""
    return {
        (pool, node): ServerLimits(agent.limits[pool].memory_mib, agent.limits[pool].instances)
        for pool, node in connections.by_node()
    }


def _collectors(
    connections: Connections, client: httpx.AsyncClient, plan: Callable[[], SitePlan | None]
) -> tuple[Collector, ...]:
    servers = servers_of(connections)
    targets = [RepositoryTarget(pool, server.http, node) for (pool, node), server in servers.items()]
    metrics = [MetricsTarget(pool, server.metrics, node) for (pool, node), server in servers.items()]
    gateways = [GatewayTarget(f"http://{item.admin}", tuple(item.origins)) for item in connections.gateways]
    return (
        TritonRepository(client, targets),
        TritonStatistics(client, targets),
        TritonMetrics(client, metrics),
        Gateways(client, gateways, lambda: arriving_in(plan())),
    )
