"""The whole controller with sites that call in: planned, told, cut off, and back."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from callers import Caller, calling, registered

from controller.acting.waiting import until
from controller.assembly import Running, controller
from controller.connections.connections import Connections
from controller.connections.sites import SitesConnection
from controller.decision import Verdict
from controller.embedded.ports import free_ports
from controller.fleet import Way
from controller.loop.status import Status
from controller.places import Places
from controller.sites.hub import desk
from controller.sites.hub.making_keys import AUTHORITY, AUTHORITY_KEY, CERTIFICATE, KEY, PLAN_KEY, make_keys
from controller.sites.site_plan import SitePlan

EXAMPLE = Path("examples/embedded")
SERVERS = {
    "edge-paris": (("edge-paris", "edge-paris-0"),),
    "edge-lyon": (("edge-lyon", "edge-lyon-0"),),
    "cloud-frankfurt": tuple(("cloud-frankfurt", f"cloud-frankfurt-{index}") for index in range(3)),
}


@dataclass(slots=True)
class World:
    running: Running
    callers: dict[str, Caller]
    stacks: dict[str, AsyncExitStack]

    @property
    def status(self) -> Status:
        return self.running.runner.status

    async def until(self, holds: Callable[[], bool], within_s: float = 60) -> None:
        async def does_hold() -> bool:
            return holds()

        async with asyncio.timeout(within_s):
            await until(does_hold)

    def plan(self, site: str) -> SitePlan:
        plan = self.callers[site].plan
        assert plan is not None
        return plan

    def routes(self) -> dict[tuple[str, str], tuple[Way, ...]]:
        assert self.status.decision is not None
        return {(item.service, item.origin): item.ways for item in self.status.decision.fleet.routes}

    def ids(self) -> set[str]:
        return {finding.id for finding in self.status.findings}

    def at_rest(self) -> bool:
        decision = self.status.decision
        return decision is not None and decision.verdict is Verdict.KEEP and not self.status.outcomes


def pools(ways: tuple[Way, ...]) -> set[str]:
    return {placement.pool for way in ways for placement in way.placements}


def connections(folder: Path) -> Connections:
    keys = folder / "keys"
    make_keys(keys, ("127.0.0.1",), datetime.now(UTC))
    api, otlp, sites = free_ports(3)
    return Connections(
        sites=SitesConnection(
            address=f"127.0.0.1:{sites}",
            agents=tuple(SERVERS),
            certificate=keys / CERTIFICATE,
            key=keys / KEY,
            authority=keys / AUTHORITY,
            authority_key=keys / AUTHORITY_KEY,
            plan_key=keys / PLAN_KEY,
            silent_after_s=10,
        ),
        otlp=f"127.0.0.1:{otlp}",
        api=f"127.0.0.1:{api}",
    )


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    known = connections(folder)
    assert known.sites is not None
    policy = folder / "policy"
    if not policy.exists():
        shutil.copytree(EXAMPLE, policy)
    journal = folder / "journal.sqlite"
    async with controller(Places(policy, journal, known)) as running, AsyncExitStack() as all_of_them:
        callers, stacks = {}, {}
        for site, servers in SERVERS.items():
            url = f"https://{known.sites.address}"
            callers[site] = await registered(url, folder / "keys", journal, site, servers)
            stacks[site] = await all_of_them.enter_async_context(AsyncExitStack())
            await stacks[site].enter_async_context(calling(callers[site]))
        try:
            yield World(running, callers, stacks)
        finally:
            for site, stack in stacks.items():
                await stack.aclose()
                await callers[site].client.aclose()


@pytest.mark.timeout(200)
async def test_sites_are_planned_told_cut_off_and_come_back(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.until(lambda: all(caller.plan for caller in here.callers.values()) and here.at_rest())
        decision = here.status.decision
        assert decision is not None
        plans = [here.plan(site) for site in SERVERS]
        assert {item.load for plan in plans for item in plan.loads} == set(decision.fleet.loads)
        assert {item.routes for plan in plans for item in plan.routes} == set(decision.fleet.routes)
        assert not here.ids() & {"GW2170", "GW2173", "GW3004"}

        paris, own = here.callers["edge-paris"], here.plan("edge-paris")
        assert any(item.load.placement.model == "silero-vad" for item in own.loads)
        await here.stacks["edge-paris"].aclose()
        await here.until(lambda: "GW2170" in here.ids() and here.at_rest())
        routes = here.routes()
        assert not any(
            way for ways in routes.values() for way in ways for p in way.placements if p.pool == "edge-paris"
        )
        assert ("call-vad", "edge-paris") not in routes, "it serves its own requests, and nobody else has to"
        assert routes["call-vad", "edge-lyon"]

        await here.stacks["edge-paris"].enter_async_context(calling(paris))
        await here.until(lambda: "GW2170" not in here.ids() and here.at_rest())
        assert ("call-vad", "edge-paris") in here.routes()
        assert [plan.generation for plan in paris.plans] == sorted({plan.generation for plan in paris.plans})
        assert "GW3004" not in here.ids()


@pytest.mark.timeout(200)
async def test_a_site_that_brings_nothing_about_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "DONE_S", 8.0)
    async with world(tmp_path) as here:
        await here.until(lambda: all(caller.plan for caller in here.callers.values()) and here.at_rest())
        before, lyon = here.routes(), here.callers["edge-lyon"]
        assert pools(before["call-vad", "edge-paris"]) == pools(before["call-vad", "edge-lyon"]) == {"edge-paris"}
        lyon.stuck = here.plan("edge-lyon")
        for caller in here.callers.values():
            caller.milli_rps = {"call-vad": 20_000}
        await here.until(lambda: "GW2144" in here.ids())
        await here.until(lambda: pools(here.routes()["call-vad", "edge-paris"]) == {"cloud-frankfurt"})
        await here.until(here.at_rest)
        assert "GW2144" in here.ids()
        assert here.routes()["call-vad", "edge-lyon"] == before["call-vad", "edge-lyon"]
        assert any(item.load.placement.model == "silero-vad" for item in here.plan("edge-paris").loads), (
            "it is asked on"
        )

        lyon.stuck = None
        await here.until(lambda: "GW2144" not in here.ids())
        await here.until(
            lambda: pools(here.routes()["call-vad", "edge-lyon"]) == {"cloud-frankfurt"} and here.at_rest()
        )
        assert not any(item.load.placement.model == "silero-vad" for item in here.plan("edge-paris").loads)
