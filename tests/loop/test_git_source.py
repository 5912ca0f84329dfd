"""A controller that follows a branch: the commit in every decision, and what `/readyz` says of one that is refused."""

import asyncio
import shutil
import subprocess
import threading
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from controller.assembly import controller
from controller.connections.connections import Connections
from controller.connections.servers import ServerConnection
from controller.embedded.ports import free_ports
from controller.journal.reader import reading
from controller.loop import looking
from controller.loop.resuming import resumed
from controller.loop.status import Status
from controller.places import Places
from controller.planning.decide import decide
from controller.replay import replay
from policy.git.address import parse_address
from policy.source import load, load_documents
from tests.loop.real import EXAMPLE

WITHIN_S = 60


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    done = subprocess.run(["git", "-C", folder, *who, *arguments], capture_output=True, text=True, check=True)  # noqa: S607
    return done.stdout.strip()


async def test_the_commit_in_force_is_in_every_decision_and_a_refused_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "LOOK_S", 0.2)
    repository, journal = tmp_path / "fleet", tmp_path / "journal.db"
    shutil.copytree(EXAMPLE, repository / "policy")
    git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "one")
    first = git(repository, "rev-parse", "HEAD")
    policy = load(EXAMPLE).policy
    assert policy is not None
    api, otlp, away = (f"127.0.0.1:{port}" for port in free_ports(3))
    servers = {pool.name: ServerConnection(http=away, metrics=away, grpc=away) for pool in policy.pools}
    address = parse_address(f"git+file://{repository}@main:policy")
    places = Places(address, journal, Connections(servers=servers, api=api, otlp=otlp))
    turns: asyncio.Queue[Status] = asyncio.Queue()
    async with asyncio.timeout(WITHIN_S), controller(places, turns.put_nowait), httpx.AsyncClient() as client:
        status = await turns.get()
        assert status.in_force.commit == first
        assert status.snapshot is not None
        assert len(status.snapshot.evidence) == 3
        (repository / "policy/broken.yaml").write_text("kind: [\n")
        git(repository, "add", "--all")
        git(repository, "commit", "--quiet", "-m", "two")
        second = git(repository, "rev-parse", "HEAD")
        while (status := await turns.get()).in_force.refused_since is None:
            pass
        assert status.in_force.commit == first
        ready = (await client.get(f"http://{api}/readyz")).json()
        assert f"of commit {first[:12]} stays in force" in " ".join(ready["reasons"])
        assert f"commit {second[:12]} has errors" in " ".join(ready["reasons"])
        assert (await client.get(f"http://{api}/v1/plan")).json()["policy_commit"] == first
        families = text_string_to_metric_families((await client.get(f"http://{api}/metrics")).text)
        (info,) = [sample for each in families for sample in each.samples if sample.name == "gridwright_policy_info"]
        assert info.labels["commit"] == first
        git(repository, "rm", "--quiet", "policy/broken.yaml")
        git(repository, "commit", "--quiet", "-m", "three")
        third = git(repository, "rev-parse", "HEAD")
        while (status := await turns.get()).in_force.commit == first:
            pass
        assert status.in_force.refused_since is None
    with reading(journal) as entries:
        commits = [entry.policy_commit for entry in entries.decisions()]
        again = list(replay(entries, decide, load_documents))
    assert (commits[0], commits[-1]) == (first, third)
    assert all(one.differences == () for one in again)
    assert resumed(journal, load_documents).in_force.commit == third


async def test_a_look_that_breaks_down_is_not_the_last_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks: list[str] = []
    again = threading.Event()

    class Breaking:
        def look(self) -> None:
            looks.append("looked")
            if len(looks) == 2:
                raise ValueError("odd")
            if len(looks) > 2:
                again.set()

        def stop(self) -> None:
            looks.append("stopped")

    monkeypatch.setattr(looking, "LOOK_S", 0.01)
    async with looking.looking(Breaking()):  # type: ignore[arg-type]
        assert await asyncio.to_thread(again.wait, WITHIN_S)
    assert looks[-1] == "stopped"
    assert "looking at the policy's repository failed" in caplog.text
