"""A loop that ends by a fault ends the controller: the rest of it would go on telling that all is well."""

import asyncio
from pathlib import Path

import pytest

from controller.cli.errors import CliError
from controller.cli.running import run_until_told
from controller.connections.connections import Connections
from controller.connections.servers import ServerConnection
from controller.embedded.ports import free_ports
from controller.loop.runner import Runner
from controller.places import Places
from policy.source import load
from tests.loop.real import EXAMPLE, copied_policy

WITHIN_S = 30


async def test_the_controller_ends_with_its_loop_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Runner) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(Runner, "_weigh_proposal", fail)
    policy = load(EXAMPLE).policy
    assert policy is not None
    api, otlp, away = (f"127.0.0.1:{port}" for port in free_ports(3))
    servers = {pool.name: ServerConnection(http=away, metrics=away, grpc=away) for pool in policy.pools}
    connections = Connections(servers=servers, api=api, otlp=otlp)
    places = Places(copied_policy(tmp_path), tmp_path / "journal.db", connections)
    async with asyncio.timeout(WITHIN_S):
        with pytest.raises(CliError, match=r"the loop ended by a fault of Gridwright \(ZeroDivisionError: by nothing"):
            await run_until_told(places, lambda _: None)
