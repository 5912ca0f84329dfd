"""The loop on real Triton servers and a real Envoy: from nothing, and through every fault that it must stand."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from controller.acting.waiting import until
from controller.connections.reading import write_connections
from controller.decision import Decision
from controller.embedded.fleet import EmbeddedFleet
from controller.journal.errors import JournalHeldError
from controller.journal.reader import reading
from controller.loop.status import Status, readiness
from controller.places import Places
from controller.planning.decide import decide
from controller.replay import replay
from policy.source import load_documents
from tests.loop.building import NOW
from tests.loop.real import at_work, followed, held, settled

pytestmark = [pytest.mark.triton, pytest.mark.envoy]


def asked(decision: Decision, pool: str) -> dict[str, int]:
    """The instances that a decision asks of a pool's servers."""
    return {
        f"{placement.model}--{placement.variant}": count
        for placement, count in decision.fleet.instances().items()
        if placement.pool == pool
    }


async def assert_real_parts_are_as_decided(places: Places, decision: Decision, pools: Iterable[str]) -> None:
    for pool in pools:
        assert await held(places.connections, pool) == asked(decision, pool)
    assert await followed(places.connections) == decision.fleet.routes


def routed(status: Status) -> set[str]:
    """The pools that the last decision sends requests to."""
    assert status.decision is not None
    return {
        placement.pool for item in status.decision.fleet.routes for way in item.ways for placement in way.placements
    }


def filled(status: Status) -> set[str]:
    """The pools where the last decision has something loaded, requests or not."""
    assert status.decision is not None
    return {load.placement.pool for load in status.decision.fleet.loads}


async def test_what_is_decided_is_what_the_real_parts_come_to_and_every_decision_replays(places: Places) -> None:
    async with at_work(places) as controller:
        status = await controller.until(settled)
        assert status.decision is not None
        assert sum(load.instances for load in status.decision.fleet.loads) > 0
        await assert_real_parts_are_as_decided(places, status.decision, places.connections.servers)
        assert readiness(status, status.ended or NOW).ready
    with reading(places.journal) as reader:
        assert list(reader.verify_chain()) == []
        replayed = list(replay(reader, decide, load_documents))
    assert replayed
    assert [(item.differences, item.trouble) for item in replayed] == [((), "")] * len(replayed)


async def test_a_broken_policy_file_leaves_the_last_good_one_in_force_until_it_is_mended(places: Places) -> None:
    file = places.policy / "services.yaml"
    good = file.read_text()
    async with at_work(places) as controller:
        before = await controller.until(settled)
        file.write_text(good.replace("kind: Service", "kind: Sevrice", 1))
        broken = await controller.until(lambda status: status.in_force.refused_since is not None)
        assert broken.in_force.revision == before.in_force.revision
        assert {"GW3002"} < {finding.id for finding in broken.findings}
        after = await controller.until(lambda status: status.turns > broken.turns + 1)
        assert settled(after)
        assert readiness(after, after.ended or NOW).ready
        file.write_text(good)
        await controller.until(lambda status: status.in_force.refused_since is None)


async def test_a_start_with_broken_files_goes_on_with_the_policy_of_the_journal(places: Places) -> None:
    async with at_work(places) as controller:
        before = await controller.until(settled)
    (places.policy / "services.yaml").write_text("kind: [")
    async with at_work(places) as controller:
        after = await controller.until(lambda status: status.turns > 0 and settled(status))
        assert after.in_force.revision == before.in_force.revision


async def test_a_server_that_vanished_loses_its_routes_and_is_filled_again_when_it_is_back(
    places: Places, fleet: EmbeddedFleet
) -> None:
    async with at_work(places) as controller:
        before = await controller.until(settled)
        lost = next(pool for pool in sorted(routed(before)) if pool.startswith("edge"))
        await fleet.kill(lost)
        try:
            await controller.until(lambda status: lost not in routed(status) and settled(status))
            assert lost not in {
                p.pool for item in await followed(places.connections) for w in item.ways for p in w.placements
            }
        finally:
            await fleet.restart(lost)
        back = await controller.until(lambda status: lost in filled(status) and settled(status))
        assert back.decision is not None
        await assert_real_parts_are_as_decided(places, back.decision, (lost,))


async def test_a_locked_journal_stops_all_action_until_it_is_free(places: Places) -> None:
    async with at_work(places) as controller:
        await controller.until(settled)
        other = sqlite3.connect(places.journal, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        stopped = await controller.until(lambda status: not status.noted)
        assert "GW3003" in {finding.id for finding in stopped.findings}
        assert stopped.outcomes == ()
        assert not readiness(stopped, stopped.ended or NOW).ready
        other.execute("ROLLBACK")
        other.close()
        await controller.until(lambda status: status.noted and settled(status))


async def test_two_controllers_cannot_act_on_one_fleet(places: Places) -> None:
    async with at_work(places) as controller:
        await controller.until(lambda status: status.turns > 0)
        with pytest.raises(JournalHeldError):
            async with at_work(places):
                pass


async def test_a_controller_killed_in_the_middle_of_a_transition_is_followed_by_one_that_finishes_it(
    places: Places, fleet: EmbeddedFleet, tmp_path: Path
) -> None:
    lost = min(places.connections.servers)
    write_connections(places.connections, tmp_path / "connections.json")
    await fleet.kill(lost)
    await fleet.restart(lost)
    process = start_controller(places, tmp_path / "connections.json")
    try:
        await until_decided_to_change(places.journal)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    with reading(places.journal) as reader:
        (first,) = reader.decisions()
        acted = {acted.wave for acted in reader.outcomes() if acted.decision == first.decision}
    assert acted <= {"withdraw"}, "routes leave in an instant, and loading takes seconds"
    async with at_work(places) as controller:
        status = await controller.until(settled)
        assert status.decision is not None
        await assert_real_parts_are_as_decided(places, status.decision, places.connections.servers)
    with reading(places.journal) as reader:
        assert list(reader.verify_chain()) == []


def start_controller(places: Places, connections: Path) -> subprocess.Popen[bytes]:
    code = f"""
        import asyncio
        from pathlib import Path
        from controller.assembly import controller
        from controller.places import Places
        from controller.connections.reading import read_connections

        async def main():
            places = Places(Path({str(places.policy)!r}), Path({str(places.journal)!r}),
                            read_connections(Path({str(connections)!r})))
            async with controller(places):
                await asyncio.sleep(60)

        asyncio.run(main())
    """
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stderr=subprocess.PIPE)


async def until_decided_to_change(journal: Path) -> None:
    async with asyncio.timeout(30):
        await until(lambda: asyncio.to_thread(has_decision, journal))


def has_decision(journal: Path) -> bool:
    if not journal.exists():
        return False
    with closing(sqlite3.connect(f"{journal.as_uri()}?mode=ro", uri=True)) as connection:
        tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'entry'").fetchone()[0]
        return bool(tables and connection.execute("SELECT count(*) FROM entry").fetchone()[0])
