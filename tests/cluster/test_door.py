"""The door of the pools at a real API server: written when it is to be otherwise, and what others did to it is told."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors.snapshot import Inventory, InventoryNode, Reading, Snapshot
from controller.admission.door import NAME, policies
from controller.admission.servers import Uses, uses
from controller.cluster.names import SYSTEM
from controller.cluster.servers.door import LOOKED_AT, SUBJECT, Door
from controller.fleet import Fleet, Load
from tests.acting.world import ORIENT, PARIS, world
from tests.cluster.api_server import ApiServer, one
from tests.cluster.fleet import calls

pytestmark = pytest.mark.cluster

NOW = datetime(2026, 11, 27, tzinfo=UTC)
PATH = f"/api/v1/namespaces/{SYSTEM}/configmaps/{NAME}"


@pytest.fixture(scope="module")
def hung(system: ApiServer) -> Iterator[ApiServer]:
    """The server with the policies that an installation has."""
    for manifest in policies():
        system.create(manifest)
    yield system
    for manifest in policies():
        if system.is_served(one(manifest)):
            system.delete(manifest)


@pytest.fixture
async def door(hung: ApiServer, kubeconfig: Path) -> AsyncIterator[Door]:
    async with calls(kubeconfig) as by:
        yield Door(by)
    if hung.is_served(PATH):
        hung.delete({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME, "namespace": SYSTEM}})


def seen(at: datetime = NOW) -> Snapshot:
    nodes = tuple(InventoryNode(name) for name in ("gpu-1", "gpu-2"))
    return Snapshot(at, inventory=(Inventory(PARIS, Reading(nodes, at, "kubernetes")),))


def on(*nodes: str) -> tuple[Uses, ...]:
    return (uses((Fleet(tuple(Load(ORIENT, 1, 1, 0, node) for node in nodes)),), world()),)


async def test_it_has_the_nodes_that_are_used_and_is_written_when_they_are_others(door: Door, hung: ApiServer) -> None:
    assert await door.keep(world(), seen(), on("gpu-1", "gpu-2", "gpu-3")) == ()
    first = hung.get(PATH)
    assert first["data"] == {f"{PARIS}_gpu-1": "allowed", f"{PARIS}_gpu-2": "allowed"}
    assert await door.keep(world(), seen(), on("gpu-2", "gpu-1")) == ()
    assert hung.get(PATH)["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert await door.keep(world(), seen(), on("gpu-2")) == ()
    assert hung.get(PATH)["data"] == {f"{PARIS}_gpu-2": "allowed"}
    assert await door.keep(world(), seen(), ()) == ()
    assert "data" not in hung.get(PATH)


async def test_what_others_have_written_is_told_within_a_minute_and_is_left_to_them(
    door: Door, hung: ApiServer
) -> None:
    assert await door.keep(world(), seen(), on("gpu-1")) == ()
    hung.patch(PATH, {"data": {f"{PARIS}_evil": "allowed"}})
    assert await door.keep(world(), seen(NOW + timedelta(seconds=1)), on("gpu-1")) == ()
    (added,) = await door.keep(world(), seen(NOW + LOOKED_AT), on("gpu-1"))
    assert (added.id, added.subject) == ("GW2140", SUBJECT)
    assert added.message.endswith(f": {PARIS}_evil")
    hung.patch(PATH, {"data": {f"{PARIS}_evil": None, f"{PARIS}_gpu-2": "allowed"}})
    (earlier,) = await door.keep(world(), seen(NOW - timedelta(days=14)), on("gpu-1"))
    assert earlier.id == "GW2140", "also once the clock was set back"
    (taken,) = await door.keep(world(), seen(NOW + LOOKED_AT), ())
    assert taken.id == "GW2140"
    hung.patch(PATH, {"data": {f"{PARIS}_gpu-2": "no"}})
    (owned,) = await door.keep(world(), seen(NOW + LOOKED_AT), on("gpu-2"))
    assert owned.id == "GW2131"
    hung.patch(PATH, {"data": {f"{PARIS}_gpu-2": None}})
    assert await door.keep(world(), seen(NOW + LOOKED_AT), on("gpu-2")) == ()


async def test_that_nothing_judges_by_it_is_told(door: Door, hung: ApiServer) -> None:
    *_, last = policies()
    hung.delete(last)
    (told,) = await door.keep(world(), seen(), ())
    assert told.id == "GW2141"
    assert told.message.endswith("ValidatingAdmissionPolicyBinding gridwright-servers-named-node")
    hung.create(last)
    assert await door.keep(world(), seen(), ()) == ()
