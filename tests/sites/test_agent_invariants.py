"""What holds of an agent whatever happens in whatever order: plans, cuts, dead servers, actions that fail or hang."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from controller.actions import Action, SetLoad, SetRoutes, Unload, Wave, seat_of
from controller.connections.servers import ServerKey
from controller.fleet import Parts, RouteSet, Seat
from controller.sites.agent.intent import LEAD, LOADING
from controller.sites.agent.machine import AGAIN_URGENT, step
from controller.sites.agent.routing import over
from controller.sites.agent.scaling import Signal
from controller.sites.agent.state import Failed, Heard, Looked, Missed, Told
from controller.sites.agent.waves import WITHDRAW
from controller.sites.report import Phase
from controller.sites.site_plan import Envelope, SiteLoad, SitePlan, SiteRoute
from rules.kernel.problem import Placement
from tests.sites.agent_world import (
    AWAY,
    FIND,
    LIMITS,
    NODES,
    READ,
    SITE,
    START,
    Servers,
    fresh,
    routes,
    site_load,
    site_plan,
)

SIZES_MIB = {READ: 800, FIND: 1_500}
SERVERS: list[ServerKey] = [("edge", node) for node in NODES]
seconds = st.integers(0, 90)
instants = st.none() | st.integers(0, 1_200).map(lambda s: START + timedelta(seconds=s))


@st.composite
def loads(draw: st.DrawFn) -> tuple[SiteLoad, ...]:
    """Some seats, with more than fits now and then, and evidence behind some of them."""
    found = []
    for placement in (READ, FIND):
        for node in NODES:
            if draw(st.booleans()):
                least = draw(st.integers(1, 3))
                most = draw(st.integers(least, 5))
                until = draw(instants)
                count = draw(st.integers(least, most))
                item = site_load(
                    placement, node, count, envelope=Envelope(least, most), memory_mib=SIZES_MIB[placement]
                )
                found.append(site_load_until(item, until))
    return tuple(found)


def site_load_until(item: SiteLoad, until: datetime | None) -> SiteLoad:
    return SiteLoad(item.load, item.envelope, item.memory_mib, item.share_permille, item.capacity_milli_rps, until)


@st.composite
def plans(draw: st.DrawFn) -> SitePlan:
    found = draw(loads())
    on = {item.load.seat: item.load.instances for item in found}
    here = {
        placement: Parts(placement, tuple((node, on[placement, node]) for node in NODES if (placement, node) in on))
        for placement in (READ, FIND)
        if any((placement, node) in on for node in NODES)
    }
    placements = [*here, AWAY]
    first = draw(st.sampled_from(placements))
    second = draw(st.sampled_from(placements))
    ways = ((1000, first),) if first == second else ((600, first), (400, second))
    parts = [here[each] for each in sorted({first, second}) if each in here]
    taken = SiteRoute(routes(*ways, parts=parts), draw(instants))
    stand_in = [SiteRoute(routes((1000, each), parts=[part]), draw(instants)) for each, part in here.items()][:1]
    return site_plan(draw(st.integers(1, 40)), found, routes=(taken,), fallbacks=tuple(stand_in))


class AnAgent(RuleBasedStateMachine):
    """An agent with servers that do what they are told, when they live and nothing goes wrong."""

    @initialize()
    def begin(self) -> None:
        self.now = START
        self.state = fresh()
        self.servers = Servers()
        self.newest = 0
        self.remote_silent = False
        self.hanging: list[Action] = []

    def take(self, event: Heard | Missed | Told | Looked | Failed) -> Wave | None:
        self.state, wave = step(SITE, self.state, event, self.now)
        return wave

    @rule(plan=plans())
    def a_plan_comes(self, plan: SitePlan) -> None:
        self.take(Heard(plan))
        if plan.generation > self.newest:
            self.newest = plan.generation
            self.give_up_routes()

    def give_up_routes(self) -> None:
        """As whoever does the actions does."""
        self.hanging = [action for action in self.hanging if not isinstance(action, SetRoutes)]

    @rule()
    def the_hub_is_silent(self) -> None:
        self.take(Missed())

    @rule(told=st.sampled_from(Phase))
    def the_hub_takes_a_report(self, told: Phase) -> None:
        self.take(Told(told))

    @rule(later=seconds)
    def time_goes_on(self, later: int) -> None:
        self.now += timedelta(seconds=later)

    @rule(earlier=seconds)
    def the_clock_is_set_back(self, earlier: int) -> None:
        self.now -= timedelta(seconds=earlier)

    @rule(server=st.sampled_from(SERVERS))
    def a_server_dies(self, server: ServerKey) -> None:
        self.servers.kill(server)

    @rule(server=st.sampled_from(SERVERS))
    def a_server_is_back(self, server: ServerKey) -> None:
        self.servers.revive(server)

    @rule(is_silent=st.booleans())
    def another_site_changes(self, is_silent: bool) -> None:  # noqa: FBT001 -- hypothesis gives it by name
        self.remote_silent = is_silent

    @rule(
        asked=st.dictionaries(st.tuples(st.sampled_from([READ, FIND]), st.sampled_from(NODES)), st.integers(0, 90_000))
    )
    def the_site_is_looked_at(self, asked: dict[Seat, int]) -> None:
        signals = tuple(Signal(seat, self.state.latest, milli_rps) for seat, milli_rps in asked.items())
        wave = self.look(signals)
        if wave is not None:
            self.servers.do(wave)

    @rule(done=st.lists(st.booleans(), min_size=8, max_size=8))
    def some_actions_fail(self, done: list[bool]) -> None:
        wave = self.look(())
        for action, is_done in zip(wave.actions if wave else (), done, strict=False):
            seat = (
                action.load.seat if isinstance(action, SetLoad) else action.seat if isinstance(action, Unload) else None
            )
            if is_done:
                self.servers.do(Wave(wave.name, (action,)))
            else:
                self.take(Failed("it did not want to", seat, urgent=wave.name == WITHDRAW))

    @rule(hangs=st.lists(st.booleans(), min_size=8, max_size=8))
    def some_actions_hang(self, hangs: list[bool]) -> None:
        wave = self.look(())
        for action, does_hang in zip(wave.actions if wave else (), hangs, strict=False):
            if does_hang:
                self.hanging.append(action)
                self.servers.begin(action)
            else:
                self.servers.do(Wave("", (action,)))

    @rule(is_there=st.booleans())
    def what_nobody_waits_for_any_more_ends(self, is_there: bool) -> None:  # noqa: FBT001 -- hypothesis gives it by name
        for seat in self.servers.moving.keys() - {seat_of(action) for action in self.hanging}:
            load = self.servers.moving.pop(seat)
            if is_there:
                self.servers.loads[seat] = load

    @rule(which=st.integers(0, 7), is_done=st.booleans())
    def what_hung_ends(self, which: int, is_done: bool) -> None:  # noqa: FBT001 -- hypothesis gives it by name
        if self.hanging:
            action = self.hanging.pop(which % len(self.hanging))
            seat = seat_of(action)
            if is_done and (seat is None or ("edge", seat[1]) not in self.servers.dead):
                self.servers.do(Wave("", (action,)))
            else:
                self.take(Failed("it hung", seat, urgent=isinstance(action, Unload), hung=True))

    def look(self, signals: tuple[Signal, ...]) -> Wave | None:
        silent = frozenset({AWAY.pool}) if self.remote_silent else frozenset[str]()
        latest = max(self.now, self.state.latest)
        tried = {failure.seat for failure in self.state.failures if failure.urgent and failure.until > latest}
        tried |= {seat_of(action) for action in self.hanging if isinstance(action, Unload)}
        standing = replace(self.servers.standing(), under_way=tuple(self.hanging))
        before = self.state.applied
        wave = self.take(Looked(standing, signals, silent))
        self.is_brought_about(before)
        if any(isinstance(action, SetRoutes) for action in (wave.actions if wave else ())):
            self.give_up_routes()
        for seat in {action.seat for action in (wave.actions if wave else ()) if isinstance(action, Unload)}:
            self.hanging = [each for each in self.hanging if not isinstance(each, SetLoad) or seat_of(each) != seat]
        self.one_at_a_time(wave)
        self.withdraws_in_time(wave, tried)
        for action in wave.actions if wave else ():
            match action:
                case SetLoad(load):
                    self.may_be_loaded(load.seat, load.instances)
                case SetRoutes():
                    self.goes_over_what_stands(action, wave.name)
                case Unload():
                    self.is_asked_no_more(action, wave.name)
        return wave

    def one_at_a_time(self, wave: Wave | None) -> None:
        seats = [seat_of(action) for action in (*self.hanging, *(wave.actions if wave else ()))]
        assert len(seats) == len(set(seats))

    def is_brought_about(self, before: int) -> None:
        """What is told as brought about is there, and nothing is on its way that takes it away."""
        if self.state.applied > before:
            leaving = {action.seat for action in self.hanging if isinstance(action, Unload)}
            here = {seat for seat in over(self.servers.routes.values()) if seat[0].pool == "edge"}
            assert here <= {seat for seat in self.servers.loads if ("edge", seat[1]) not in self.servers.dead}
            assert not leaving & here

    def planned(self) -> dict[Seat, SiteLoad]:
        return {item.load.seat: item for item in (self.state.plan.loads if self.state.plan else ())}

    def withdraws_in_time(self, wave: Wave | None, tried: set[Seat | None]) -> None:
        ended = {
            seat
            for seat, item in self.planned().items()
            if item.until is not None and self.state.latest + LEAD >= item.until
            if seat in self.servers.loads or seat in self.servers.moving
        }
        unloaded = {action.seat for action in (wave.actions if wave else ()) if isinstance(action, Unload)}
        assert ended - tried <= unloaded
        if wave is None or wave.name != WITHDRAW:
            assert None in tried or not self.astray(self.servers.routes.values()) or self.is_leaving()

    def is_leaving(self) -> bool:
        """Whether the gateway is being told to leave what the plan does not have."""
        told = [action.routes for action in self.hanging if isinstance(action, SetRoutes)]
        return bool(told) and not any(map(self.astray, told))

    def astray(self, routed: Iterable[RouteSet]) -> set[tuple[Placement, ...]]:
        """The ways among these that the plan does not have, or not for much longer."""
        plan, soon = self.state.plan, self.state.latest + LEAD
        allowed = (
            [each for each in (*plan.routes, *plan.fallbacks) if not each.until or soon < each.until] if plan else []
        )
        planned = {way.placements for each in allowed for way in each.routes.ways}
        return {way.placements for item in routed for way in item.ways} - planned if plan else set()

    def may_be_loaded(self, seat: Seat, instances: int) -> None:
        item = self.planned()[seat]
        assert 1 <= instances <= item.envelope.most
        assert ("edge", seat[1]) not in self.servers.dead
        assert item.until is None or self.state.latest + LEAD + LOADING < item.until

    def goes_over_what_stands(self, action: SetRoutes, wave: str) -> None:
        if wave != WITHDRAW:
            here = {seat for seat in over(action.routes) if seat[0].pool == "edge"}
            assert here <= {seat for seat in self.servers.loads if seat in self.planned()}
            assert not here & {each.seat for each in self.hanging if isinstance(each, Unload)}

    def is_asked_no_more(self, action: Unload, wave: str) -> None:
        if wave != WITHDRAW:
            assert action.seat not in set(over(self.servers.standing().routes or ()))

    @invariant()
    def a_newer_plan_never_gives_way_to_an_older_one(self) -> None:
        assert self.state.generation == self.newest

    @invariant()
    def no_server_holds_more_than_its_limits(self) -> None:
        for server in SERVERS:
            held = {**self.servers.moving, **self.servers.loads}
            here = [load for (placement, node), load in held.items() if (placement.pool, node) == server]
            assert sum(SIZES_MIB[load.placement] * load.instances for load in here) <= LIMITS[server].memory_mib
            assert sum(load.instances for load in here) <= LIMITS[server].instances

    def teardown(self) -> None:
        """Left alone, it comes to rest, and then has nothing that may not be there."""
        if not hasattr(self, "state"):
            return
        self.hanging.clear()
        for server in SERVERS:
            self.servers.revive(server)
        self.now = self.state.latest + timedelta(hours=1)
        for _ in range(30):
            wave = self.look(())
            if wave is None:
                break
            self.servers.do(wave)
        else:
            raise AssertionError("it never comes to rest")
        assert self.servers.loads.keys() <= self.planned().keys() or self.state.plan is None
        assert AGAIN_URGENT < LEAD


AnAgent.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnAgent = AnAgent.TestCase
