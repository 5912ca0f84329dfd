"""Policy that is followed on a real API server, and what is told of it there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.reaching import client
from controller.cluster.custom_resources.policies import ClusterPolicy
from controller.cluster.custom_resources.reporting import StatusReporter
from controller.loop.policies import InForce, reloaded
from controller.loop.status import Status
from policy.documents import API_VERSION
from policy.schema.crd import plural
from policy.source import load
from tests.cli.process import ROOT
from tests.cluster.api_server import ApiServer, Manifest, one
from tests.cluster.written import files, resources

pytestmark = pytest.mark.cluster

FACTORY = ROOT / "examples" / "factory"
POOL = {"apiVersion": API_VERSION, "kind": "Pool", "metadata": {"name": "ulm-old"}}
PATIENCE_S = 60.0


@pytest.fixture
def factory(defined: ApiServer) -> Iterator[dict[tuple[str, str], Manifest]]:
    """The documents of the example by kind and name, as they stand in the cluster."""
    made = [manifest for name, text in files(FACTORY) for _, manifest in resources(name, text)]
    for manifest in made:
        defined.create(manifest)
    yield {(each["kind"], each["metadata"]["name"]): each for each in made}
    for manifest in made:
        defined.delete(manifest)


@dataclass
class Turning:
    """A loop that reads the policy and nothing else, by a clock that is set by hand."""

    policy: ClusterPolicy
    reporter: StatusReporter
    changed: int = 0
    now: datetime = datetime(2026, 5, 4, 12, tzinfo=UTC)
    in_force: InForce = field(default_factory=InForce)

    async def turn(self) -> InForce:
        loaded = await asyncio.to_thread(self.policy.load)
        self.in_force = reloaded(self.in_force, loaded, self.now)
        self.reporter.observe(Status(in_force=self.in_force))
        await self.reporter.write()
        return self.in_force


@pytest.fixture
async def turning(factory: dict[tuple[str, str], Manifest], kubeconfig: Path) -> AsyncIterator[Turning]:
    assert factory
    async with client("tests", str(kubeconfig)) as reached:
        calls = Calls(reached)
        turning: Turning

        def clock() -> datetime:
            return turning.now

        def changed() -> None:
            turning.changed += 1

        policy = ClusterPolicy(calls, clock, changed)
        turning = Turning(policy, StatusReporter(calls, policy, "tests", clock))
        async with policy.running():
            yield turning


async def comes_to(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - some of it is no event
            await asyncio.sleep(0.05)


def accepted(server: ApiServer, manifest: Manifest) -> tuple[str, str, int]:
    """Whether a resource is accepted, why, and of which generation that is told."""
    status = server.get(one(manifest))["status"]
    (found,) = [each for each in status["conditions"] if each["type"] == "Accepted"]
    assert status["observedGeneration"] == found["observedGeneration"]
    return found["status"], found["reason"], found["observedGeneration"]


async def test_the_policy_of_resources_is_that_of_the_files(turning: Turning) -> None:
    in_force = await turning.turn()
    whole = load(FACTORY).policy
    assert in_force.policy is not None
    assert whole is not None
    assert [each.name for each in in_force.policy.services] == [each.name for each in whole.services]
    assert in_force.policy.pools[0].nodes == whole.pools[0].nodes
    assert turning.policy.load() == turning.policy.load()


async def test_a_change_nudges_and_is_told_of_its_generation_and_a_status_does_not(
    turning: Turning, defined: ApiServer
) -> None:
    await turning.turn()
    assert accepted(defined, POOL) == ("True", "InForce", 1)
    version = defined.get(one(POOL))["metadata"]["resourceVersion"]
    before = turning.changed
    turning.now += timedelta(hours=1)
    await turning.turn()
    assert defined.get(one(POOL))["metadata"]["resourceVersion"] == version
    assert turning.changed == before
    defined.patch(one(POOL), {"spec": {"site": "atlantis"}})
    await comes_to(lambda: turning.changed > before)
    in_force = await turning.turn()
    assert in_force.refused_since == turning.now
    assert accepted(defined, POOL) == ("False", "Invalid", 2)
    told = defined.get(one(POOL))["status"]["conditions"][0]
    assert told["message"].startswith(".spec.site: ")
    assert told["lastTransitionTime"] == "2026-05-04T13:00:00Z"
    services = defined.get(f"/apis/{API_VERSION}/{plural('Service')}")["items"]
    assert {accepted(defined, {**each, "apiVersion": API_VERSION, "kind": "Service"})[1] for each in services} == {
        "PolicyRefused"
    }
    events = [each for each in defined.get("/apis/events.k8s.io/v1/events")["items"] if each["reason"] == "Invalid"]
    assert [(each["regarding"]["name"], each["type"]) for each in events] == [("ulm-old", "Warning")]
    assert events[0]["note"].startswith("Accepted is False: .spec.site: ")


async def test_the_command_line_shows_the_conditions(turning: Turning, defined: ApiServer) -> None:
    await turning.turn()
    table = defined.get(f"/apis/{API_VERSION}/{plural('Service')}", table=True)
    columns = {each["name"]: (at, each["priority"]) for at, each in enumerate(table["columnDefinitions"])}
    shown = ("Accepted", "Feasible", "Applied", "ObjectiveMet", "EvidenceValid")
    assert [columns[name][1] for name in shown] == [0, 1, 1, 1, 1]
    assert {row["cells"][columns["Accepted"][0]] for row in table["rows"]} == {"True"}
    assert {row["cells"][columns["Feasible"][0]] for row in table["rows"]} == {"Unknown"}


async def test_a_resource_that_was_made_again_is_told_anew(
    turning: Turning, defined: ApiServer, factory: dict[tuple[str, str], Manifest]
) -> None:
    await turning.turn()
    before = turning.changed
    defined.delete(POOL)
    defined.create(factory["Pool", "ulm-old"])
    assert "status" not in defined.get(one(POOL))
    await turning.reporter.write()
    assert "status" not in defined.get(one(POOL))
    await comes_to(lambda: turning.changed > before + 1)
    await turning.turn()
    assert accepted(defined, POOL) == ("True", "InForce", 1)
