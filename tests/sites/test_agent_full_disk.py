"""An agent whose disk takes nothing any more: evidence ends all the same."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from controller.sites.agent import mind
from controller.sites.agent.keeping import AgentError
from tests.sites.agent_world import LOADS, READ, START, site_load, site_plan
from tests.sites.faked_time import in_faked_time
from tests.sites.partitioned import SimulatedHub, SimulatedServers, agent_of

ENDS_S = 600


async def an_hour(folder: Path, monkeypatch: pytest.MonkeyPatch, site: SimulatedServers, seen: list[int]) -> None:
    hub = SimulatedHub()
    protected = site_load(READ, "edge-0", until=START + timedelta(seconds=ENDS_S))
    hub.plan_in_force = site_plan(1, (protected, LOADS[1]))
    agent = agent_of(site, hub, folder)
    running = asyncio.create_task(agent.run())
    await asyncio.sleep(60)
    assert (READ, "edge-0") in site.loads

    def full(folder: Path, _: object) -> None:
        raise AgentError(f"{folder} cannot be written (No space left on device); make room")

    monkeypatch.setattr(mind, "keep_state", full)  # nothing else fails as a disk does for root
    hub.plan_in_force = site_plan(2, LOADS)
    await asyncio.sleep(ENDS_S - 60)
    seen += [agent.state.generation, hub.reports[-1].generation]
    assert [finding.id for finding in hub.reports[-1].findings if "No space left" in finding.message] == ["GW2185"]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_without_room_on_the_disk_no_plan_is_taken_up_and_what_ends_is_withdrawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, seen = SimulatedServers(), list[int]()
    in_faked_time(an_hour(tmp_path, monkeypatch, site, seen))
    assert seen == [1, 1]
    assert [*site.loads] == [(READ, "edge-1")]
