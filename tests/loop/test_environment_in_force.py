"""A controller decides in the environment that it was given, and a replay does, too."""

import asyncio
from pathlib import Path

from controller.assembly import controller
from controller.connections.connections import Connections
from controller.connections.servers import ServerConnection
from controller.embedded.ports import free_ports
from controller.journal.reader import reading
from controller.loop.status import Status
from controller.places import Places
from controller.planning.decide import decide
from controller.replay import replay
from policy.source import load_documents
from tests.loop.real import EXAMPLE

WITHIN_S = 60


async def test_the_environment_holds_in_the_loop_and_in_its_journal(tmp_path: Path) -> None:
    folder, journal = EXAMPLE.parent / "environments", tmp_path / "journal.db"
    api, otlp, away = (f"127.0.0.1:{port}" for port in free_ports(3))
    servers = {"edge-paris": ServerConnection(http=away, metrics=away, grpc=away)}
    places = Places(folder, journal, Connections(servers=servers, api=api, otlp=otlp), environment="prod")
    turns: asyncio.Queue[Status] = asyncio.Queue()
    async with asyncio.timeout(WITHIN_S), controller(places, turns.put_nowait):
        policy = (await turns.get()).in_force.policy
    assert policy is not None
    assert policy.pool("edge-paris").nodes == 4
    with reading(journal) as entries:
        (decided, *_) = list(entries.decisions())
        kept = load_documents(entries.documents(decided)).policy
        again = list(replay(entries, decide, load_documents))
    assert kept == policy
    assert all(not one.differences and not one.trouble for one in again)
