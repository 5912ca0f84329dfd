"""Policy of a folder or a repository and of a real API server at once, of which the stated one wins."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from types import SimpleNamespace
from typing import Any, cast

import pytest

from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.reaching import client
from controller.cluster.custom_resources.reporting import StatusReporter
from controller.loop.policies import InForce, reloaded
from controller.loop.status import Status
from controller.loop.turn_policy import TurnPolicy
from controller.two_sources import Sources, reading_both
from policy.documents import API_VERSION
from policy.findings import Finding
from policy.git.address import Address, parse_address
from tests.cli.process import ROOT
from tests.cluster.api_server import ApiServer, Manifest, one
from tests.cluster.written import files, resources

pytestmark = pytest.mark.cluster

FACTORY = ROOT / "examples" / "factory"
POOL = {"apiVersion": API_VERSION, "kind": "Pool", "metadata": {"name": "ulm-old"}}
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copytree(FACTORY, tmp_path / "policy")


@pytest.fixture
def pool(defined: ApiServer) -> Iterator[Manifest]:
    """A Pool of the example as a custom resource, with more nodes than in the files."""
    (found,) = [
        each
        for name, text in files(FACTORY)
        for _, each in resources(name, text)
        if each["metadata"]["name"] == "ulm-old"
    ]
    manifest = {**found, "spec": {**found["spec"], "nodes": found["spec"]["nodes"] + 5}}
    defined.create(manifest)
    yield manifest
    defined.delete(manifest)
    for event in defined.get("/apis/events.k8s.io/v1/events")["items"]:
        if event["regarding"]["name"] == "ulm-old":
            defined.delete({"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": event["metadata"]})


@dataclass
class Turning:
    """A loop that reads the policy of both and nothing else."""

    policy: TurnPolicy
    reporter: StatusReporter
    in_force: InForce = field(default_factory=InForce)

    async def turn(self) -> InForce:
        loaded = await asyncio.to_thread(self.policy.load, self.policy.folder)
        self.in_force = reloaded(self.in_force, loaded, NOW)
        self.reporter.observe(Status(in_force=self.in_force))
        return self.in_force

    async def turned_until(self, holds: Callable[[InForce], bool]) -> InForce:
        async with asyncio.timeout(60):
            while not holds(await self.turn()):  # noqa: ASYNC110 - files are read at each turn
                await asyncio.sleep(0.1)
        return self.in_force

    @property
    def nodes(self) -> int:
        assert self.in_force.policy is not None
        (found,) = [each for each in self.in_force.policy.pools if each.name == "ulm-old"]
        return found.nodes


@asynccontextmanager
async def reading(
    files: Path | Address, kubeconfig: Path, journal: Path, *, cluster_wins: bool
) -> AsyncIterator[Turning]:
    async with client("tests", str(kubeconfig)) as reached:
        cluster = cast("Any", SimpleNamespace(reads=Calls(reached), writes=Calls(reached)))
        sources = Sources(files, cluster, cluster_wins, journal)
        async with reading_both(sources, lambda: None, lambda: NOW) as (policy, reporter):
            yield Turning(policy, reporter)


async def told_it(server: ApiServer, status: str, reason: str) -> str:
    """What the resource is told beside that, once it is."""
    async with asyncio.timeout(60):
        while True:
            resource = await asyncio.to_thread(server.get, one(POOL))
            for each in resource.get("status", {}).get("conditions", ()):
                if (each["type"], each["status"], each["reason"]) == ("Accepted", status, reason):
                    return str(each["message"])
            await asyncio.sleep(0.1)


def told(in_force: InForce, finding_id: str) -> list[Finding]:
    return [each for each in in_force.findings if each.id == finding_id]


async def test_where_the_files_win_the_resource_is_told_that_it_is_overruled(
    folder: Path, kubeconfig: Path, defined: ApiServer, pool: Manifest, tmp_path: Path
) -> None:
    async with reading(folder, kubeconfig, tmp_path / "journal", cluster_wins=False) as turning:
        in_force = await turning.turn()
        assert turning.nodes == pool["spec"]["nodes"] - 5
        (clash,) = told(in_force, "GW2190")
        assert clash.place is not None
        assert clash.place.file == "kubernetes:Pool/ulm-old.yaml"
        assert (await told_it(defined, "False", "Overruled")).startswith("fleet.yaml:")
        assert in_force.refused_since is None


async def test_where_the_cluster_wins_its_document_counts_and_the_files_are_told(
    folder: Path, kubeconfig: Path, defined: ApiServer, pool: Manifest, tmp_path: Path
) -> None:
    async with reading(folder, kubeconfig, tmp_path / "journal", cluster_wins=True) as turning:
        in_force = await turning.turn()
        assert turning.nodes == pool["spec"]["nodes"]
        (clash,) = told(in_force, "GW2190")
        assert clash.place is not None
        assert clash.place.file == "fleet.yaml"
        await told_it(defined, "True", "InForce")


async def test_a_broken_resource_keeps_no_file_from_being_taken(
    folder: Path, kubeconfig: Path, defined: ApiServer, pool: Manifest, tmp_path: Path
) -> None:
    async with reading(folder, kubeconfig, tmp_path / "journal", cluster_wins=True) as turning:
        await turning.turn()
        defined.patch(one(POOL), {"spec": {"site": "atlantis"}})
        in_force = await turning.turned_until(lambda each: each.refused_since is not None)
        assert len(told(in_force, "GW2191")) == 1
        await told_it(defined, "False", "Invalid")
        assert turning.nodes == pool["spec"]["nodes"]
        revision = in_force.revision
        text = (folder / "services.yaml").read_text()
        (folder / "services.yaml").write_text(text + "# another revision\n")
        in_force = await turning.turned_until(lambda each: each.revision != revision)
        assert in_force.refused_since is not None
        defined.patch(one(POOL), {"spec": {"site": pool["spec"]["site"]}})
        await turning.turned_until(lambda each: each.refused_since is None)
        await told_it(defined, "True", "InForce")


async def test_a_broken_file_keeps_no_resource_from_being_taken(
    folder: Path, kubeconfig: Path, defined: ApiServer, pool: Manifest, tmp_path: Path
) -> None:
    async with reading(folder, kubeconfig, tmp_path / "journal", cluster_wins=True) as turning:
        await turning.turn()
        text = (folder / "fleet.yaml").read_text()
        (folder / "fleet.yaml").write_text(text + "---\nkind: [\n")
        in_force = await turning.turned_until(lambda each: each.refused_since is not None)
        await told_it(defined, "True", "InForce")
        defined.patch(one(POOL), {"spec": {"nodes": pool["spec"]["nodes"] + 2}})
        before = in_force.revision
        await turning.turned_until(lambda each: each.revision != before)
        assert turning.nodes == pool["spec"]["nodes"] + 2
        (folder / "fleet.yaml").write_text(text)
        await turning.turned_until(lambda each: each.refused_since is None)


def git(folder: Path, *arguments: str) -> None:
    person = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *person, *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S607


async def test_a_commit_is_judged_beside_the_resources_and_its_policy_has_its_name(
    folder: Path, kubeconfig: Path, pool: Manifest, tmp_path: Path
) -> None:
    text = (folder / "fleet.yaml").read_text()
    kept = [part for part in text.split("---\n") if "name: ulm-old" not in part]
    assert len(kept) == len(text.split("---\n")) - 1
    (folder / "fleet.yaml").write_text("---\n".join(kept))
    git(folder, "init", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--message=without the pool")
    address = parse_address(f"git+file://{folder}@main")
    async with reading(address, kubeconfig, tmp_path / "journal", cluster_wins=False) as turning:
        in_force = await turning.turn()
        assert in_force.refused_since is None
        assert len(in_force.commit) == 40
        assert turning.nodes == pool["spec"]["nodes"]
