"""An hour without the hub, by a faked clock: nodes fail, load swings, evidence ends, another site falls silent."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from controller.fleet import Parts, RouteSet, Way
from controller.sites.agent.agent import Agent
from controller.sites.agent.limits import server_of
from controller.sites.report import Cause, Phase
from controller.sites.site_plan import SitePlan, SiteRoute, SiteService
from tests.sites.agent_world import AWAY, FIND, LIMITS, READ, START, site_load
from tests.sites.faked_time import in_faked_time
from tests.sites.partitioned import SimulatedHub, SimulatedServers, agent_of, capacity_rps, now

MINUTE = 60
CUT_AT, MENDED_AT, END = 2 * MINUTE, 62 * MINUTE, 75 * MINUTE
ENDS = START + timedelta(minutes=37)
SIZES_MIB = {READ: 800, FIND: 1_500}
RECEIPTS, SECRETS, FAR = ("receipts", "edge"), ("secrets", "edge"), ("far", "edge")
SETTLING_S = 45
"""After something happened: until it is counted, decided and loaded."""
EVENTS_S = {
    "edge-1 dies": 17 * MINUTE,
    "edge-1 is back": 19 * MINUTE,
    "edge-0 dies": 27 * MINUTE,
    "edge-0 is back": 28 * MINUTE,
    "the hall is silent": 31 * MINUTE,
    "the hall is back": 40 * MINUTE,
    "the agent starts anew": 45 * MINUTE,
    "both die": 50 * MINUTE,
    "both are back": 51 * MINUTE,
}
LOUDER_S, QUIETER_S = 10 * MINUTE, 22 * MINUTE


def planned(generation: int, at: datetime) -> SitePlan:
    """One service on both nodes, one that is protected, and one that another site serves."""
    until = ENDS if generation < 3 else None
    both = Parts(READ, (("edge-0", 1), ("edge-1", 1)))
    return SitePlan(
        "edge",
        generation,
        at,
        at + timedelta(hours=1),
        (
            site_load(READ, "edge-0"),
            site_load(READ, "edge-1"),
            site_load(FIND, "edge-0", memory_mib=SIZES_MIB[FIND], until=until),
        ),
        (
            SiteRoute(RouteSet(*RECEIPTS, (Way(1000, (READ,)),), (both,))),
            SiteRoute(RouteSet(*SECRETS, (Way(1000, (FIND,)),), (Parts(FIND, (("edge-0", 1),)),)), until),
            SiteRoute(RouteSet(*FAR, (Way(1000, (AWAY,)),))),
        ),
        (SiteRoute(RouteSet(*FAR, (Way(1000, (READ,)),), (both,))),),
        tuple(SiteService(service, ("read",)) for service, _ in (RECEIPTS, SECRETS, FAR)),
    )


def rates(at_s: float) -> dict[tuple[str, str], float]:
    """Requests a second."""
    return {RECEIPTS: 45.0 if LOUDER_S <= at_s < QUIETER_S else 8.0, SECRETS: 3.0, FAR: 4.0}


@dataclass
class Watched:
    """What an onlooker saw at each second."""

    breaches: list[str] = field(default_factory=list)
    unserved: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    judged_s: int = 0
    generations: list[int] = field(default_factory=list)


@dataclass
class Hour:
    """The site, its hub, and the agent that runs."""

    folder: Path
    site: SimulatedServers = field(default_factory=SimulatedServers)
    hub: SimulatedHub = field(default_factory=SimulatedHub)
    watched: Watched = field(default_factory=Watched)
    agent: Agent | None = None
    running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self.running is not None:
            self.running.cancel()
            await asyncio.gather(self.running, return_exceptions=True)
        self.agent = agent_of(self.site, self.hub, self.folder)
        self.running = asyncio.create_task(self.agent.run())

    async def run(self) -> None:
        self.hub.plan_in_force = planned(1, now())
        await self.start()
        for second in range(END):
            await self.happen(second)
            await asyncio.sleep(1)
            self.watch(second)
            assert self.running is not None
            assert not self.running.done(), self.running
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)

    async def happen(self, second: int) -> None:
        site, hub = self.site, self.hub
        happening = [name for name, at in EVENTS_S.items() if at == second]
        for name in happening:
            match name:
                case "edge-1 dies" | "edge-0 dies":
                    site.kill(("edge", name.partition(" ")[0]))
                case "both die":
                    site.kill(("edge", "edge-0"))
                    site.kill(("edge", "edge-1"))
                case "the hall is silent":
                    site.silent = frozenset({AWAY.pool})
                case "the hall is back":
                    site.silent = frozenset()
                case "the agent starts anew":
                    await self.start()
                case _:
                    site.dead.clear()
        hub.is_cut = CUT_AT <= second < MENDED_AT
        if second == 30 * MINUTE:
            hub.plan_in_force = planned(2, now())  # which the site does not hear of before it is back
        if second == MENDED_AT + 2 * MINUTE:
            hub.plan_in_force = planned(3, now())

    def watch(self, second: int) -> None:
        assert self.agent is not None
        answered = self.site.ask(rates(second))
        self.watched.generations.append(self.agent.state.generation)
        self.watched.breaches += self.breached()
        plan = self.agent.state.plan
        if plan is None:
            return
        disturbed = [*EVENTS_S.values(), LOUDER_S, QUIETER_S, 0, 30 * MINUTE]
        if any(0 <= second - at < SETTLING_S for at in disturbed):
            return
        self.watched.judged_s += 1
        asked = rates(second)[RECEIPTS] + (rates(second)[FAR] if self.site.silent else 0)
        if asked <= capacity_rps(READ, self.site, plan, SIZES_MIB):
            for demand in (RECEIPTS, FAR):
                if answered[demand] < 0.999:
                    self.watched.unserved.setdefault(demand, []).append(second)

    def breached(self) -> list[str]:
        """What must not be, at this very moment, whoever decided it."""
        assert self.agent is not None
        found = []
        plan = self.agent.state.plan
        for item in plan.loads if plan else ():
            load = self.site.loads.get(item.load.seat)
            if load is not None and item.until is not None and now() >= item.until:
                found.append(f"{now()} {load} runs without evidence")
            if load is not None and load.instances > item.envelope.most:
                found.append(f"{now()} {load} is out of its envelope")
        for route in plan.routes if plan else ():
            current = self.site.routed.get((route.routes.service, route.routes.origin))
            if route.until is not None and now() >= route.until and current and current.ways:
                found.append(f"{now()} {route.routes.service} is routed without evidence")
        for server, limit in LIMITS.items():
            here = [load for seat, load in self.site.loads.items() if server_of(seat) == server]
            if sum(SIZES_MIB[load.placement] * load.instances for load in here) > limit.memory_mib:
                found.append(f"{now()} {server} is over its memory")
        return found


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Hour:
    hour = Hour(tmp_path_factory.mktemp("hour"))
    in_faked_time(hour.run())
    return hour


def test_at_no_second_anything_runs_that_may_not(hour: Hour) -> None:
    assert hour.watched.breaches == []


def test_objectives_hold_wherever_what_lives_could_hold_them(hour: Hour) -> None:
    assert hour.watched.unserved == {}
    assert hour.watched.judged_s > 50 * MINUTE


def test_the_plan_of_before_stays_until_the_hub_is_back_and_none_is_followed_by_an_older_one(hour: Hour) -> None:
    seen = hour.watched.generations
    assert set(seen[CUT_AT:MENDED_AT]) == {1}
    assert (seen, set(seen[1:])) == (sorted(seen), {1, 2, 3})


def test_the_hub_is_told_what_the_site_did_alone_and_has_the_last_word(hour: Hour) -> None:
    told = [report for report in hour.hub.reports if report.cut_off_since is not None]
    phases = [report.phase for report in told]
    assert phases[-2:] == [Phase.RECONCILING, Phase.CONNECTED]
    assert phases[:-2] in ([], [Phase.CUT_OFF])  # by whether a report or the call for a plan came through first
    assert {item.cause for item in told[0].deviations} == {Cause.ENDED}
    last = hour.hub.reports[-1]
    assert (last.generation, last.phase, last.deviations, last.findings) == (3, Phase.CONNECTED, (), ())
    assert {*hour.site.loads.values()} == {item.load for item in planned(3, START).loads}
    assert {*hour.site.routed.values()} == {item.routes for item in planned(3, START).routes}


def test_nothing_flaps(hour: Hour) -> None:
    loaded = Counter(what for at, what in hour.site.done if CUT_AT <= at < MENDED_AT)
    assert max(loaded.values()) <= 4  # once for each time that its server came back, and once on the way up or down
    assert [what for at, what in hour.site.done if at >= MENDED_AT] == ["find/fp16@edge edge-0: 1"]
