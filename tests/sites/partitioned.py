"""A site whose agent is the real one: stand-ins for time, for how long servers take, and for who asks them what."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collectors.snapshot import (
    LoadedModel,
    ModelState,
    Reading,
    Server,
    ServerState,
    Snapshot,
    StageTimes,
    StageWork,
    Work,
)
from controller.acting.actuator import ActuatorError
from controller.acting.envoy_stages import Services, parted
from controller.actions import SetLoad, Unload
from controller.connections.servers import ServerKey
from controller.fleet import Load, RouteSet, Seat
from controller.sites.agent.acting import Hands
from controller.sites.agent.agent import Agent, Parts
from controller.sites.agent.hub_calls import WAIT_S, HubError
from controller.sites.agent.identity import Identity
from controller.sites.agent.intent import Site
from controller.sites.agent.keeping import kept_state
from controller.sites.agent.limits import server_of
from controller.sites.agent.looking import Looking
from controller.sites.agent.sketches import Sketches
from controller.sites.agent.state import AgentState
from controller.sites.report import Report, unpacked
from controller.sites.signed import key_id, signed
from controller.sites.site_plan import SitePlan
from rules.kernel.problem import Placement
from tests.sites.agent_world import LIMITS, START

LOAD_S, UNLOAD_S, ROUTE_S = 6.0, 1.0, 0.2
EACH_RPS = 10.0
"""What an instance answers."""
WINDOW_S = 10


def now() -> datetime:
    """The instant of the loop's own time."""
    return START + timedelta(seconds=asyncio.get_running_loop().time())


@dataclass
class SimulatedServers:
    """The Tritons and the gateway of a site, and what each load was asked lately."""

    loads: dict[Seat, Load] = field(default_factory=dict)
    routed: dict[tuple[str, str], RouteSet] = field(default_factory=dict)
    dead: set[ServerKey] = field(default_factory=set)
    mute: frozenset[ServerKey] = frozenset()
    silent: frozenset[str] = frozenset()
    asked: defaultdict[Seat, list[float]] = field(default_factory=lambda: defaultdict(list))
    done: list[tuple[float, str]] = field(default_factory=list)
    name: str = "simulated"

    async def have(self, action: SetLoad | Unload) -> None:
        """As `TritonActuator` has it."""
        seat = action.load.seat if isinstance(action, SetLoad) else action.seat
        await asyncio.sleep(LOAD_S if isinstance(action, SetLoad) else UNLOAD_S)
        if server_of(seat) in self.dead:
            raise ActuatorError(f"{seat}: cannot be reached")
        if isinstance(action, SetLoad):
            self.loads[seat] = action.load
            self.done.append((asyncio.get_running_loop().time(), f"{seat[0]} {seat[1]}: {action.load.instances}"))
        else:
            self.loads.pop(seat, None)

    async def follow(self, routes: tuple[RouteSet, ...], services: Services) -> None:
        """As `EnvoyActuator` has it."""
        await asyncio.sleep(ROUTE_S)
        self.routed |= {(item.service, item.origin): item for item in routes if item.service in services}

    async def routes(self) -> tuple[RouteSet, ...]:
        return tuple(sorted(self.routed.values()))

    async def collect(self, at: datetime) -> Snapshot:
        """What `TritonRepository` and `TritonMetrics` would read."""
        servers = []
        for pool, node in LIMITS:
            models = tuple(
                LoadedModel(p.model, p.variant, ModelState.READY, load.instances, load.max_batch, load.queue_delay_us)
                for (p, its_node), load in sorted(self.loads.items())
                if (p.pool, its_node) == (pool, node)
            )
            gone = (pool, node) in self.dead | self.mute
            reading = Reading(None, None, "") if gone else Reading(ServerState(models), at, "")
            servers.append(Server(pool, reading, node))
        return Snapshot(at, servers=tuple(servers), work=tuple(self._work(at)))

    def _work(self, at: datetime) -> list[Work]:
        nothing: Reading[StageTimes] = Reading(None, None, "")
        return [
            Work(
                p.pool,
                p.model,
                p.variant,
                Reading(StageWork(WINDOW_S, round(sum(asked)), 0, 0, 0, 0, 0), at, ""),
                nothing,
                node,
            )
            for (p, node), asked in self.asked.items()
            if (p, node) in self.loads and asked
        ]

    async def silent_now(self, pools: frozenset[str]) -> frozenset[str]:
        return self.silent & pools

    def kill(self, server: ServerKey) -> None:
        self.dead.add(server)
        self.loads = {seat: load for seat, load in self.loads.items() if server_of(seat) != server}

    def ask(self, rates: Mapping[tuple[str, str], float]) -> dict[tuple[str, str], float]:
        """Have a second's requests come; by demand, the part of them that was answered in time."""
        brought: Counter[Seat] = Counter()
        by_demand: dict[tuple[str, str], dict[Seat | None, float]] = {}
        for demand, rps in rates.items():
            here = by_demand[demand] = self._parted(demand, rps)
            for seat, part in here.items():
                if seat is not None:
                    brought[seat] += part
        for seat in {*self.asked, *brought}:
            self.asked[seat] = [*self.asked[seat], float(brought[seat])][-WINDOW_S:]
        answered = {
            seat: min(1.0, self.loads[seat].instances * EACH_RPS / part) if seat in self.loads and part else 0.0
            for seat, part in brought.items()
        }
        return {
            demand: sum(part * (1.0 if seat is None else answered[seat]) for seat, part in here.items()) / rates[demand]
            for demand, here in by_demand.items()
        }

    def _parted(self, demand: tuple[str, str], rps: float) -> dict[Seat | None, float]:
        """Requests by seat; None stands for another site that answers."""
        found: Counter[Seat | None] = Counter()
        routes = self.routed.get(demand)
        for way in routes.ways if routes else ():
            placement = way.placements[0]
            share = rps * way.weight_permille / 1000
            if placement.pool not in {pool for pool, _ in LIMITS}:
                if placement.pool not in self.silent:
                    found[None] += share
                continue
            nodes = routes.nodes_of(placement) if routes else ()
            for (node, _), part in zip(nodes, parted(1_000_000, [weight for _, weight in nodes]), strict=True):
                found[placement, node] += share * part / 1_000_000
        return dict(found)


@dataclass
class SimulatedHub:
    """The hub as the agent's calls reach it, over a wire that can be cut."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    plan_in_force: SitePlan | None = None
    is_cut: bool = False
    reports: list[Report] = field(default_factory=list)

    async def plan(self, after: int) -> str | None:
        """The newest plan, or nothing for a while."""
        for _ in range(WAIT_S):
            self._reached()
            plan = self.plan_in_force
            if plan is not None and plan.generation > after:
                return signed(plan, self.key)
            await asyncio.sleep(1)
        return None

    async def report(self, data: bytes) -> None:
        await asyncio.sleep(0.05)
        self._reached()
        self.reports.append(unpacked(data))

    async def close(self) -> None:
        """Nothing is open."""

    def _reached(self) -> None:
        if self.is_cut:
            raise HubError("the wire is cut")


@dataclass(frozen=True)
class _Remotes:
    silent: Callable[[frozenset[str]], object]


def agent_of(site: SimulatedServers, hub: SimulatedHub, folder: Path, clock: Callable[[], datetime] = now) -> Agent:
    """The real agent, going on from what it kept. `clock` is its machine's."""
    public = hub.key.public_key()
    identity = Identity(folder / "none", "", {key_id(public): public}, START, START + timedelta(days=30))
    looking = Looking((site,), site, _Remotes(site.silent_now))
    parts = Parts(Site(LIMITS), folder, lambda _: hub, lambda _: looking, Hands(site, site), Sketches(now()), clock)
    return Agent(parts, kept_state(folder, "edge") or AgentState("edge", now(), now()), identity)


def capacity_rps(
    placement: Placement, site: SimulatedServers, plan: SitePlan, sizes_mib: Mapping[Placement, int]
) -> float:
    """What the servers that live could answer of a placement, inside envelopes and limits, beside all else."""
    found = 0.0
    for item in plan.loads:
        if item.load.placement != placement or server_of(item.load.seat) in site.dead:
            continue
        limit = LIMITS[server_of(item.load.seat)]
        others = [
            each.load
            for each in plan.loads
            if each.load.node == item.load.node and each is not item and (each.until is None or now() < each.until)
        ]
        left_mib = limit.memory_mib - sum(sizes_mib[load.placement] * load.instances for load in others)
        left = min(left_mib // sizes_mib[placement], limit.instances - sum(load.instances for load in others))
        found += min(item.envelope.most, left) * EACH_RPS
    return found
