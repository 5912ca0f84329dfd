"""A small site for tests of its agent: two nodes, a service that may go on to another site, obedient servers."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from controller.actions import Action, SetLoad, SetRoutes, Unload, Wave
from controller.connections.servers import ServerKey
from controller.fleet import Load, Parts, RouteSet, Seat, Way
from controller.sites.agent.intent import Site
from controller.sites.agent.limits import ServerLimits
from controller.sites.agent.state import AgentState
from controller.sites.agent.waves import Standing
from controller.sites.site_plan import Envelope, SiteLoad, SitePlan, SiteRoute, SiteService
from rules.kernel.problem import Placement

START = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
NODES = ("edge-0", "edge-1")
LIMITS: dict[ServerKey, ServerLimits] = {("edge", node): ServerLimits(4_000, 6) for node in NODES}
SITE = Site(LIMITS)
READ, FIND, AWAY = (
    Placement("read", "int8", "edge"),
    Placement("find", "fp16", "edge"),
    Placement("read", "int8", "hall"),
)


def site_load(placement: Placement, node: str, instances: int = 1, **others: object) -> SiteLoad:
    """A load of 800 MiB an instance that may have one to four, each of which answers ten requests a second."""
    item = SiteLoad(Load(placement, instances, 4, 500, node), Envelope(1, 4), 800, 100, 10_000)
    return replace(item, **others)


def routes(*ways: tuple[int, Placement], parts: Iterable[Parts] = ()) -> RouteSet:
    """Of the one demand that there is."""
    return RouteSet("receipts", "edge", tuple(Way(weight, (placement,)) for weight, placement in ways), tuple(parts))


HALVES = (Parts(READ, (("edge-0", 1), ("edge-1", 1))),)
LOADS = (site_load(READ, "edge-0"), site_load(READ, "edge-1"))
HERE = SiteRoute(routes((1000, READ), parts=HALVES))
ELSEWHERE = SiteRoute(routes((1000, AWAY)))


def site_plan(generation: int = 1, loads: tuple[SiteLoad, ...] = LOADS, **others: object) -> SitePlan:
    """A plan that serves everything here, unless told otherwise."""
    plan = SitePlan(
        "edge",
        generation,
        START,
        START + timedelta(hours=1),
        loads,
        (HERE,),
        services=(SiteService("receipts", ("read",)),),
    )
    return replace(plan, **others)


def fresh() -> AgentState:
    """An agent that knows nothing yet."""
    return AgentState("edge", START, START)


@dataclass
class Servers:
    """Stands in for the site's servers and gateway: each action is done at once, unless its server is dead.

    What is `moving` is on its way to be loaded or to be gone, and takes the room of its load.
    """

    loads: dict[Seat, Load] = field(default_factory=dict)
    moving: dict[Seat, Load] = field(default_factory=dict)
    routes: dict[tuple[str, str], RouteSet] = field(default_factory=dict)
    dead: set[ServerKey] = field(default_factory=set)

    def kill(self, server: ServerKey) -> None:
        """What it held is lost."""
        self.dead.add(server)
        self.loads = {seat: load for seat, load in self.loads.items() if (seat[0].pool, seat[1]) != server}
        self.moving = {seat: load for seat, load in self.moving.items() if (seat[0].pool, seat[1]) != server}

    def revive(self, server: ServerKey) -> None:
        """It is back, and holds nothing."""
        self.dead.discard(server)

    def standing(self) -> Standing:
        """What a look at the site tells."""
        routes, moving = tuple(sorted(self.routes.values())), frozenset(self.moving)
        return Standing(dict(self.loads), frozenset(self.dead), routes, moving=moving)

    def begin(self, action: Action) -> None:
        """Have it begun, by a server that hangs over it; one that has the model goes on with it until it is loaded."""
        match action:
            case SetLoad(load) if load.seat not in self.loads:
                self.moving[load.seat] = load
            case Unload() if action.seat in self.loads:
                self.moving[action.seat] = self.loads.pop(action.seat)

    def do(self, wave: Wave) -> None:
        """Have the actions done."""
        for action in wave.actions:
            match action:
                case SetLoad(load):
                    self.moving.pop(load.seat, None)
                    self.loads[load.seat] = load
                case Unload():
                    self.moving.pop(action.seat, None)
                    self.loads.pop(action.seat, None)
                case SetRoutes(changed):
                    self.routes |= {(item.service, item.origin): item for item in changed}

    def memory_mib(self, server: ServerKey, sizes_mib: dict[Placement, int]) -> int:
        """What a server's loads take."""
        return sum(
            sizes_mib[load.placement] * load.instances
            for load in self.loads.values()
            if (load.placement.pool, load.node) == server
        )
