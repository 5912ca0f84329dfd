"""Actions on sites: into the plan, done when the site says so, and out of it again when it does not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hubs import Clock

from collectors.snapshot import LoadedModel, ModelState, Reading, Server, ServerState, Snapshot
from controller.acting.actuator import ActuatorError, HangError, UnreadError
from controller.acting.waiting import until
from controller.actions import Action, SetLoad, SetRoutes, Unload
from controller.fleet import Fleet, Load, RouteSet, Way
from controller.journal.errors import JournalError
from controller.sites.hub import desk
from controller.sites.hub.acting import SiteRoutes, SiteServers
from controller.sites.hub.collecting import SiteReadings
from controller.sites.hub.deciding import SiteUpkeep
from controller.sites.hub.desk import Desk
from controller.sites.hub.heard import SiteReports
from controller.sites.hub.peer import Peer
from controller.sites.hub.publishing import SitePlans
from controller.sites.hub.registry import SiteRegistry
from controller.sites.hub.sites import Sites
from controller.sites.hub.terms import Terms
from controller.sites.report import Cause, Deviation, Phase, Refused, Report
from controller.sites.signed import Expected, key_id, verified
from controller.sites.site_plan import SitePlan
from policy.resolved import Policy
from rules.kernel.problem import Placement
from tests.planning.world import FRANKFURT, LYON, PARIS, POLICY, START, VAD

NODE = f"{PARIS}-0"
LOAD = Load(Placement("vad", "fp32", PARIS), 2, 1, 0, NODE)
MORE = replace(LOAD, instances=3)
HERE = RouteSet(VAD, PARIS, (Way(1000, (LOAD.placement,)),))
THROUGH = RouteSet(VAD, PARIS, (Way(1000, (Placement("vad", "half", PARIS),)),))
THERE = RouteSet(VAD, LYON, (Way(1000, (LOAD.placement,)),))
SILENT_AFTER = timedelta(seconds=30)


class Gateways:
    """Gateways that are no site's."""

    name = "gateways"

    def __init__(self) -> None:
        self.set: list[RouteSet] = []

    def handles(self, action: Action) -> bool:
        return isinstance(action, SetRoutes)

    async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:  # noqa: ARG002 - the protocol's
        assert isinstance(action, SetRoutes)
        self.set += action.routes

    async def routes(self) -> tuple[RouteSet, ...]:
        return tuple(self.set)


class World:
    """A site that is told, and tells what a test lets it tell."""

    def __init__(self, registry: SiteRegistry) -> None:
        self.clock = Clock()
        key = Ed25519PrivateKey.generate()
        self.keys = {key_id(key.public_key()): key.public_key()}
        self.plans = SitePlans(registry, key, self.clock)
        self.reports = SiteReports()
        agents, pools = (PARIS,), (lambda: POLICY.pools)
        sites = Sites(agents, pools, self.plans, self.reports, self.clock, self.clock(), SILENT_AFTER)
        self.desk = Desk(sites, self.clock, Terms(POLICY))
        self.servers, self.gateways = SiteServers(self.desk), Gateways()
        self.routes = SiteRoutes(self.desk, self.gateways, self.gateways)
        self.sequence = 0

    def tells(self, generation: int = 0, refused: Refused | None = None, *more: Deviation, **has: object) -> None:
        self.sequence += 1
        loads = has.get("loads", ())
        assert isinstance(loads, tuple)
        models = tuple(
            LoadedModel(x.placement.model, x.placement.variant, ModelState.READY, x.instances, x.max_batch, 0)
            for x in loads
        )
        now = self.clock()
        held = None if has.get("is_silent") else ServerState(models)
        server = Server(PARIS, Reading(held, now, "triton"), NODE)
        routes = has.get("routes", ())
        taken_up = has.get("taken_up", 0)
        assert isinstance(routes, tuple)
        assert isinstance(taken_up, int)
        report = Report(
            PARIS,
            self.sequence,
            now,
            Phase.CONNECTED,
            generation,
            Snapshot(now, servers=(server,)),
            refused=refused,
            routes=routes,
            deviations=more,
            taken_up=taken_up,
            unread=bool(has.get("is_unread")),
        )
        assert self.reports.take(report, Peer(PARIS, "01"), now)

    async def plan(self) -> SitePlan:
        found = await self.plans.newest(PARIS)
        assert found is not None
        return found

    async def when_told(self, generation: int, answer: Callable[[], None]) -> None:
        """Have the site answer once it is told so many generations."""

        async def is_told() -> bool:
            plan = await self.plans.newest(PARIS)
            return plan is not None and plan.generation >= generation

        await until(is_told)
        answer()


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    registry = SiteRegistry.open(tmp_path / "journal.db")
    yield World(registry)
    registry.close()


def test_a_sites_actuator_takes_what_is_in_its_pools(tmp_path: Path) -> None:
    registry = SiteRegistry.open(tmp_path / "journal.db")
    servers = World(registry).servers
    assert servers.handles(SetLoad(LOAD))
    assert servers.handles(Unload(LOAD.placement, NODE))
    assert not servers.handles(Unload(Placement("vad", "fp32", FRANKFURT), f"{FRANKFURT}-0"))
    assert not servers.handles(SetRoutes((HERE,)))
    registry.close()


async def test_a_load_is_done_once_the_site_reports_its_generation(world: World) -> None:
    world.tells()
    acting = asyncio.create_task(world.servers.apply("d", SetLoad(LOAD), POLICY))
    await world.when_told(1, lambda: None)
    await asyncio.sleep(0.3)
    assert not acting.done()
    world.tells(1, loads=(LOAD,))
    await acting
    assert [item.load for item in (await world.plan()).loads] == [LOAD]
    await world.servers.apply("d", SetLoad(LOAD), POLICY)
    assert (await world.plan()).generation == 1, "what is there already makes no generation"
    acting = asyncio.create_task(world.servers.apply("d", Unload(*LOAD.seat), POLICY))
    await world.when_told(2, lambda: world.tells(2))
    await acting
    assert (await world.plan()).loads == ()


async def test_what_a_site_refuses_fails_with_its_reason_and_leaves_the_plan(world: World) -> None:
    world.tells(loads=(LOAD,))
    acting = asyncio.create_task(world.servers.apply("d", SetLoad(MORE), POLICY))
    await world.when_told(1, lambda: world.tells(0, Refused(1, "no such model"), loads=(LOAD,)))
    with pytest.raises(ActuatorError, match="no such model"):
        await acting
    plan = await world.plan()
    assert plan.generation == 2
    assert [item.load for item in plan.loads] == [LOAD]


async def test_a_site_without_a_known_plan_keeps_what_it_has(world: World) -> None:
    other = replace(LOAD, placement=Placement("cls", "fp32", PARIS))
    world.tells(41, loads=(other,), routes=(HERE,))
    acting = asyncio.create_task(world.servers.apply("d", SetLoad(LOAD), POLICY))
    await world.when_told(42, lambda: world.tells(42, loads=(LOAD, other), routes=(HERE,)))
    await acting
    plan = await world.plan()
    assert plan.generation == 42
    assert {item.load for item in plan.loads} == {LOAD, other}
    assert [item.routes for item in plan.routes] == [HERE]


async def test_routes_go_to_the_site_that_requests_come_from(world: World) -> None:
    world.tells()
    acting = asyncio.create_task(world.routes.apply("d", SetRoutes((HERE, THERE)), POLICY))
    await world.when_told(1, lambda: world.tells(1, routes=(HERE,)))
    await acting
    assert world.gateways.set == [THERE]
    assert [item.routes for item in (await world.plan()).routes] == [HERE]
    assert [item.name for item in (await world.plan()).services] == [VAD]
    assert await world.routes.routes() == tuple(sorted((HERE, THERE)))


async def test_a_gateway_that_does_not_tell_keeps_nobody_from_knowing_what_sites_follow(world: World) -> None:
    async def unread() -> tuple[RouteSet, ...]:
        raise UnreadError("the admin port does not answer", (THERE,), {FRANKFURT})

    await world.routes.apply("d", SetRoutes((THERE,)), POLICY)
    world.tells(loads=(LOAD,), routes=(HERE,))
    world.gateways.routes = unread  # type: ignore[method-assign]
    with pytest.raises(UnreadError) as told:
        await world.routes.routes()
    assert (told.value.read, told.value.origins) == (tuple(sorted((HERE, THERE))), {FRANKFURT})


async def test_a_site_whose_gateway_does_not_tell_may_follow_what_it_was_given(world: World) -> None:
    """It tells of no routes then. That it follows none is not what that means."""
    world.tells()
    acting = asyncio.create_task(world.routes.apply("d", SetRoutes((HERE, THERE)), POLICY))
    await world.when_told(1, lambda: world.tells(1, routes=(HERE,)))
    await acting
    world.tells(1, is_unread=True)
    with pytest.raises(UnreadError, match=f"a gateway of site {PARIS} does not tell") as told:
        await world.routes.routes()
    assert (told.value.read, told.value.origins, told.value.maybe) == ((THERE,), {PARIS}, (HERE,))
    world.tells(1, routes=(HERE,))
    assert await world.routes.routes() == tuple(sorted((HERE, THERE)))


async def test_a_fallback_is_not_taken_for_a_change_of_routes(world: World) -> None:
    world.tells()
    acting = asyncio.create_task(world.routes.apply("d", SetRoutes((HERE,)), POLICY))
    await world.when_told(1, lambda: world.tells(1, routes=(HERE,)))
    await acting
    alone = replace(HERE, ways=(Way(400, (LOAD.placement,)),))
    world.tells(1, None, Deviation(Cause.FALLBACK, service=VAD, origin=PARIS), routes=(alone,))
    assert await world.routes.routes() == (HERE,)
    world.tells(1, routes=(alone,))
    assert await world.routes.routes() == (alone,)


async def test_a_site_that_is_cut_off_is_asked_for_nothing(world: World) -> None:
    world.tells(routes=(HERE,))
    world.clock.passed = SILENT_AFTER + timedelta(seconds=1)
    with pytest.raises(ActuatorError, match="cut off"):
        await world.servers.apply("d", SetLoad(LOAD), POLICY)
    away = replace(HERE, ways=())
    await world.routes.apply("d", SetRoutes((away,)), POLICY)
    assert await world.plans.newest(PARIS) is None
    assert await world.routes.routes() == (away,), "the plan is made without it, so it is taken for set"
    world.tells(routes=(HERE,))
    assert await world.routes.routes() == (HERE,)


async def test_a_site_that_falls_silent_fails_what_waits_for_it(world: World) -> None:
    world.tells()
    acting = asyncio.create_task(world.servers.apply("d", SetLoad(LOAD), POLICY))
    await world.when_told(1, lambda: None)
    world.clock.passed = SILENT_AFTER + timedelta(seconds=1)
    with pytest.raises(ActuatorError, match="cut off"):
        await acting


async def waited_for_in_vain(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "DONE_S", 0.3)
    world.tells(loads=(LOAD,))
    with pytest.raises(ActuatorError, match="has not brought generation 1 about"):
        await world.servers.apply("d", SetLoad(MORE), POLICY)


async def test_a_site_that_brings_nothing_about_is_waited_for_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await waited_for_in_vain(world, monkeypatch)
    monkeypatch.setattr(desk, "DONE_S", 60.0)
    world.tells(loads=(LOAD,))
    async with asyncio.timeout(5):
        with pytest.raises(ActuatorError, match="brings nothing about"):
            await world.servers.apply("d", SetLoad(MORE), POLICY)
    plan = await world.plan()
    assert (plan.generation, [item.load for item in plan.loads]) == (2, [LOAD]), "what is not waited for is not asked"
    world.tells(2, loads=(LOAD,))
    acting = asyncio.create_task(world.servers.apply("d", SetLoad(MORE), POLICY))
    await world.when_told(3, lambda: world.tells(3, loads=(MORE,)))
    await acting


async def test_a_site_that_refuses_what_it_had_before_is_asked_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await waited_for_in_vain(world, monkeypatch)
    assert world.desk.is_stuck(PARIS)
    monkeypatch.setattr(desk, "DONE_S", 60.0)
    world.tells(0, Refused(2, "out of memory"))  # its server was started anew, and loads nothing any more
    assert not world.desk.is_stuck(PARIS)
    acting = asyncio.create_task(world.servers.apply("d", Unload(LOAD.placement, NODE), POLICY))
    await world.when_told(3, world.tells)  # taken up, and not done yet: no answer is known any more
    await asyncio.sleep(0)
    assert not world.desk.is_stuck(PARIS), "this one has its own time"
    world.tells(3)
    await acting


@pytest.mark.parametrize(("pool", "known"), [(PARIS, True), (LYON, False)])
async def test_a_server_that_hangs_at_a_site_is_told_as_such_where_it_is_the_sites_own(
    world: World, pool: str, *, known: bool
) -> None:
    world.tells(loads=(LOAD,))
    seat = replace(LOAD.placement, pool=pool), NODE
    hangs = Refused(1, "not as wanted within 60 s", seat)
    acting = asyncio.create_task(world.servers.apply("d", SetLoad(MORE), POLICY))
    await world.when_told(1, lambda: world.tells(0, hangs, loads=(LOAD,)))
    with pytest.raises(ActuatorError, match="not as wanted within 60 s") as raised:
        await acting
    assert (raised.value.seat if isinstance(raised.value, HangError) else None) == (seat if known else None)


HANGS = Refused(1, "not as wanted within 60 s", (Placement("rec", "fp32", PARIS), NODE))


async def test_what_a_site_did_is_done_also_where_another_server_of_it_hangs(world: World) -> None:
    world.tells(loads=(LOAD,), routes=(HERE,))
    away = replace(HERE, ways=())
    acting = asyncio.create_task(world.routes.apply("d", SetRoutes((away,)), POLICY))
    await world.when_told(1, lambda: world.tells(0, HANGS, loads=(LOAD,), routes=(away,)))
    await acting
    assert [item.routes for item in (await world.plan()).routes] == [away], "no request goes back"
    acting = asyncio.create_task(world.servers.apply("d", Unload(*LOAD.seat), POLICY))
    await world.when_told(2, lambda: world.tells(0, replace(HANGS, generation=2)))
    await acting
    assert (await world.plan()).loads == (), "nothing is loaded again that had to go"
    acting = asyncio.create_task(world.servers.apply("d", SetLoad(MORE), POLICY))
    await world.when_told(3, lambda: world.tells(0, replace(HANGS, generation=3), loads=(MORE,)))
    await acting
    assert [item.load for item in (await world.plan()).loads] == [MORE]


async def test_what_a_site_refuses_of_one_seat_takes_nothing_else_back(world: World) -> None:
    """Requests leave beside it, and the report that tells of the refusal is from before they had left."""
    away = replace(HERE, ways=())
    refused = Refused(2, "the server refused", None, (MORE.seat,))
    world.tells(loads=(LOAD,), routes=(HERE,))
    leaving = asyncio.create_task(world.routes.apply("d", SetRoutes((away,)), POLICY))
    await world.when_told(1, lambda: None)
    loading = asyncio.create_task(world.servers.apply("d", SetLoad(MORE), POLICY))
    await world.when_told(2, lambda: world.tells(0, refused, loads=(LOAD,), routes=(HERE,)))
    with pytest.raises(ActuatorError, match="the server refused"):
        await loading
    assert not leaving.done()
    assert [item.routes for item in (await world.plan()).routes] == [away]
    world.tells(0, refused, loads=(LOAD,), routes=(away,), taken_up=2)
    await leaving


@pytest.mark.parametrize(("wanted", "then"), [(replace(HERE, ways=()), 1), (THROUGH, 2)])
async def test_requests_that_are_to_leave_a_way_are_asked_to_also_where_a_gateway_fails(
    world: World, wanted: RouteSet, then: int
) -> None:
    world.tells(loads=(LOAD,), routes=(HERE,))
    setting = asyncio.create_task(world.routes.apply("d", SetRoutes((wanted,)), POLICY))
    fails = Refused(1, "the gateway does not answer", None, (None,))
    await world.when_told(1, lambda: world.tells(0, fails, loads=(LOAD,), routes=(HERE,)))
    with pytest.raises(ActuatorError, match="the gateway does not answer"):
        await setting
    plan = await world.plan()
    assert (plan.generation, [item.routes for item in plan.routes]) == (then, [wanted if then == 1 else HERE])


async def test_a_part_that_a_site_shows_is_done_though_the_rest_of_its_plan_hangs(world: World) -> None:
    world.tells(loads=(LOAD,), routes=(HERE,))
    away = replace(HERE, ways=())
    acting = asyncio.create_task(world.routes.apply("d", SetRoutes((away,)), POLICY))
    await world.when_told(1, lambda: world.tells(loads=(LOAD,), routes=(away,)))
    await asyncio.sleep(0.3)
    assert not acting.done(), "an older plan may have something under way that takes it back"
    world.tells(loads=(LOAD,), routes=(HERE,), taken_up=1)
    await asyncio.sleep(0.3)
    assert not acting.done()
    world.tells(loads=(LOAD,), routes=(away,), taken_up=1)
    async with asyncio.timeout(5):
        await acting


async def test_a_site_that_did_what_was_asked_in_time_is_not_stuck_though_something_else_of_its_plan_is_not_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "DONE_S", 0.5)
    away = replace(HERE, ways=())
    world.tells(loads=(LOAD,), routes=(HERE,))
    acting = asyncio.create_task(world.routes.apply("d", SetRoutes((away,)), POLICY))
    await world.when_told(1, lambda: world.tells(loads=(LOAD,), routes=(away,)))
    await acting
    assert not world.desk.is_stuck(PARIS)
    world.tells(loads=(LOAD,), routes=(away,))
    with pytest.raises(ActuatorError, match="has not brought generation 2 about"):
        await world.servers.apply("d", SetLoad(MORE), POLICY)
    assert world.desk.is_stuck(PARIS)


@pytest.mark.parametrize("has", [{"is_silent": True}, {"loads": (LOAD,)}])
async def test_what_a_site_does_not_show_is_not_done(world: World, has: dict[str, object]) -> None:
    world.tells(loads=(LOAD,), routes=(HERE,))
    acting = asyncio.create_task(world.servers.apply("d", Unload(*LOAD.seat), POLICY))
    await world.when_told(1, lambda: world.tells(0, HANGS, **has))
    with pytest.raises(HangError):
        await acting
    away = replace(HERE, ways=())
    acting = asyncio.create_task(world.routes.apply("d", SetRoutes((away,)), POLICY))
    await world.when_told(3, lambda: world.tells(0, replace(HANGS, generation=3)))  # its gateways do not tell
    with pytest.raises(HangError):
        await acting


async def test_what_is_to_go_and_is_not_waited_for_any_longer_stays_asked_for(world: World) -> None:
    world.tells(loads=(LOAD,))
    acting = asyncio.create_task(world.servers.apply("d", Unload(LOAD.placement, NODE), POLICY))
    await world.when_told(1, lambda: world.tells(loads=(LOAD,)))
    acting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await acting
    plan = await world.plan()
    assert (plan.generation, plan.loads) == (1, ())


async def test_what_is_to_be_loaded_and_is_given_up_is_not_loaded_later(world: World) -> None:
    world.tells(loads=(LOAD,))
    acting = asyncio.create_task(world.servers.apply("d", SetLoad(MORE), POLICY))
    await world.when_told(1, lambda: world.tells(loads=(LOAD,)))
    acting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await acting
    plan = await world.plan()
    assert (plan.generation, [item.load for item in plan.loads]) == (2, [LOAD])


async def test_a_site_that_brings_nothing_about_is_told_with_since_when(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "DONE_S", 0.3)
    world.tells(loads=(LOAD,))
    asked = world.clock()
    with pytest.raises(ActuatorError):
        await world.servers.apply("d", SetLoad(MORE), POLICY)
    minutes = {each.isoformat()[:16] for each in (asked, world.clock())}

    async def certified() -> frozenset[str]:
        return frozenset((PARIS,))

    seen = await SiteReadings(world.desk.sites, certified).collect(world.clock())
    assert seen.stuck == (PARIS,)
    (finding,) = (each for each in seen.findings if each.id == "GW2144")
    assert any(minute in finding.message for minute in minutes)
    assert finding.subject == f"site {PARIS}"
    assert seen.servers[0].reading.value is not None, "it is counted with"
    world.tells(1, loads=(MORE,))
    assert (await SiteReadings(world.desk.sites, certified).collect(world.clock())).stuck == ()


async def test_the_whole_plan_is_given_once_the_fleet_is_as_decided(world: World) -> None:
    planned = Fleet((LOAD,), (HERE,))
    upkeep = SiteUpkeep(world.desk)
    assert await upkeep.keep(POLICY, planned, Snapshot(START), is_reached=True) == ()
    assert await world.plans.newest(PARIS) is None, "nobody knows yet what it has"
    world.tells(loads=(LOAD,))
    await upkeep.keep(POLICY, planned, Snapshot(START), is_reached=False)
    assert await world.plans.newest(PARIS) is None
    await upkeep.keep(POLICY, planned, Snapshot(START), is_reached=True)
    assert (await world.plan()).fleet() == planned
    await upkeep.keep(POLICY, planned, Snapshot(START), is_reached=True)
    assert (await world.plan()).generation == 1


async def test_a_plan_is_dated_by_when_it_is_given_out(world: World) -> None:
    await world.plans.publish(PARIS, lambda plan: plan, SitePlan(PARIS, 4, START, START))
    world.clock.passed = timedelta(hours=5)
    token = await world.plans.given_out(PARIS, 0, 0)
    assert token is not None
    plan = verified(token, world.keys, Expected(PARIS, 0, world.clock()))
    assert world.clock() - plan.issued_at < timedelta(minutes=1)


async def test_a_site_that_follows_a_later_plan_than_is_known_gets_one_above_it(world: World) -> None:
    """As when the journal was lost, or is an older copy, and the site could not bring its newest plan about."""
    assert await world.plans.publish(PARIS, lambda plan: plan, SitePlan(PARIS, 4, START, START)) == 5
    assert await world.plans.given_out(PARIS, 9, 0) is None
    assert await world.plans.publish(PARIS, lambda plan: plan, SitePlan(PARIS, 4, START, START)) == 10
    assert await world.plans.publish(PARIS, lambda plan: plan, SitePlan(PARIS, 4, START, START)) == 10


async def test_a_publication_that_was_cut_short_is_found_as_it_was_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    otherwise = SitePlan(PARIS, 0, START, START)
    assert await world.plans.publish(PARIS, lambda plan: plan, otherwise) == 1
    put = SiteRegistry.put_plan

    def kept_and_cut(registry: SiteRegistry, plan: SitePlan, after: int) -> None:
        put(registry, plan, after)
        raise JournalError("the connection was lost")

    monkeypatch.setattr(SiteRegistry, "put_plan", kept_and_cut)
    with pytest.raises(JournalError):
        await world.plans.publish(PARIS, lambda plan: replace(plan, fallbacks=()), replace(otherwise, generation=3))
    monkeypatch.setattr(SiteRegistry, "put_plan", put)
    assert await world.plans.publish(PARIS, lambda plan: plan, replace(otherwise, generation=7)) == 8


async def test_what_a_site_withdrew_by_a_clock_that_ran_ahead_is_asked_of_it_by_a_newer_plan(world: World) -> None:
    world.tells(loads=(LOAD,))
    acting = asyncio.create_task(world.servers.apply("d", SetLoad(LOAD), POLICY))
    await world.when_told(1, lambda: world.tells(1, loads=(LOAD,)))
    await acting
    world.tells(1, None, Deviation(Cause.ENDED, LOAD.placement, NODE, LOAD.instances, 0))
    acting = asyncio.create_task(world.servers.apply("d", SetLoad(LOAD), POLICY))
    await world.when_told(2, lambda: world.tells(2, loads=(LOAD,)))
    await acting
    assert [item.load for item in (await world.plan()).loads] == [LOAD]
