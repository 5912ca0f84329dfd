"""What an agent sees of its site: what servers hold and were asked, what gateways follow, which other sites answer."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from collectors.collector import Collector
from collectors.gateway import Arriving
from collectors.snapshot import ModelState, Server, Snapshot, Work
from controller.acting.actuator import ActuatorError, UnreadError
from controller.acting.envoy import EnvoyActuator
from controller.connections.servers import ServerKey
from controller.fleet import Load, RouteSet
from controller.loop.observing import NOTHING, Parts, observe
from controller.sites.agent.remotes import Remotes
from controller.sites.agent.scaling import Signal
from controller.sites.agent.state import Looked
from controller.sites.agent.waves import Standing
from controller.sites.site_plan import SitePlan
from rules.kernel.problem import Placement

DEADLINE_S: Final = 4.0
FRESH: Final = timedelta(seconds=15)
MILLI: Final = 1000


class Looking:
    """Looks at all of it at once. What a collector could not see this time is as it saw it last, and grows stale."""

    def __init__(self, collectors: Sequence[Collector], gateways: EnvoyActuator | None, remotes: Remotes) -> None:
        self._collectors = tuple(collectors)
        self._gateways = gateways
        self._remotes = remotes
        self._before: Parts = NOTHING

    async def look(self, pools: frozenset[str], now: datetime) -> tuple[Looked, Snapshot]:
        """The site as the agent decides by, and as it tells it. `pools` of other sites are tried."""
        (snapshot, self._before), routes, silent = await asyncio.gather(
            observe(self._collectors, now, DEADLINE_S, self._before), self._routes(), self._remotes.silent(pools)
        )
        standing = replace(standing_of(snapshot, now), routes=routes)
        return Looked(standing, signals_of(snapshot, now), silent), snapshot

    async def _routes(self) -> tuple[RouteSet, ...] | None:
        if self._gateways is None:
            return ()
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await self._gateways.routes()
        except UnreadError as error:
            return None if error.origins else error.read
        except (ActuatorError, TimeoutError):
            return None


def standing_of(snapshot: Snapshot, now: datetime) -> Standing:
    """What servers hold, and those that do not answer; routes are not among it."""
    answering = {server: state for server in snapshot.servers if (state := server.reading.fresh(now, FRESH))}
    loads = [
        Load(
            Placement(model.model, model.variant, server.pool),
            model.instances,
            model.max_batch,
            model.queue_delay_us,
            server.node,
        )
        for server, state in answering.items()
        for model in state.models
        if model.state is ModelState.READY and model.instances
    ]
    moving = frozenset(
        (Placement(model.model, model.variant, server.pool), server.node)
        for server, state in answering.items()
        for model in state.models
        if model.state is ModelState.LOADING
    )
    silent = frozenset(_key(server) for server in snapshot.servers if server not in answering)
    read_at = {_key(server): server.reading.at for server in answering if server.reading.at is not None}
    return Standing({load.seat: load for load in loads}, silent, None, moving=moving, read_at=read_at)


def by_agents_time(standing: Standing, clock: datetime, began: datetime) -> Standing:
    """The same, with the agent's time for when servers were read, by which it counts what was begun and ended.

    The look began at that instant, as the machine's clock, which may have been set back, showed `clock`. A reading that
    is kept of a look before counts as being as old as any may be: the clock may have been set in between.
    """
    read_at = {server: began if at == clock else began - FRESH for server, at in standing.read_at.items()}
    return replace(standing, read_at=read_at)


def arriving_in(plan: SitePlan | None) -> tuple[Arriving, ...]:
    """The services of a plan as their arrivals are counted; none before there is a plan."""
    if plan is None:
        return ()
    origins = {
        service.name: frozenset(item.routes.origin for item in plan.routes if item.routes.service == service.name)
        for service in plan.services
    }
    return tuple(
        Arriving(service.name, origins[service.name], service.first_stage, service.calls)
        for service in plan.services
        if service.first_stage
    )


def signals_of(snapshot: Snapshot, now: datetime) -> tuple[Signal, ...]:
    """What was asked of each load: requests that ended within a window, and those that wait at its end."""
    return tuple(signal for work in snapshot.work if (signal := _signal(work, now)) is not None)


def _signal(work: Work, now: datetime) -> Signal | None:
    counted = work.counters.fresh(now, FRESH)
    if counted is None or work.counters.at is None or counted.window_s <= 0:
        return None
    asked = (counted.requests + counted.failures + counted.pending) / counted.window_s
    seat = (Placement(work.model, work.variant, work.pool), work.node)
    return Signal(seat, work.counters.at, round(asked * MILLI))


def _key(server: Server) -> ServerKey:
    return server.pool, server.node
