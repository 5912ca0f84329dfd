"""The label of the pod that leads, on a real API server: there while it leads, and gone before anybody else does."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from controller.cluster.api_server.calls import Calls, Limits
from controller.cluster.api_server.errors import CallError
from controller.cluster.api_server.reaching import client
from controller.cluster.api_server.resources import LEASES, PODS
from controller.cluster.joining import joined
from controller.cluster.leading.lease import LEASE
from controller.cluster.leading.marking import Mark, Pod, own_pod
from controller.cluster.names import LEADS, SYSTEM
from controller.connections.cluster import ClusterConnection
from tests.cluster.accounts import Controller, controller_of, put_up
from tests.cluster.api_server import ApiServer, eventually
from tests.cluster.fleet import SETTINGS
from tests.cluster.pods import restricted

pytestmark = pytest.mark.cluster

OTHERS = {"app.kubernetes.io/name": "gridwright"}


@pytest.fixture(scope="module")
def controller(system: ApiServer, kubeconfig: Path) -> Iterator[Controller]:
    """The controller's account, whose writes are held against the lease."""
    with controller_of(system, kubeconfig, "marking") as controller:
        put_up(system, controller.user)
        yield controller


@pytest.fixture
def pod(system: ApiServer, controller: Controller) -> Iterator[Pod]:
    """The pod of a replica, which has another label."""
    manifest = restricted("replica", controller.namespace)
    manifest["metadata"]["labels"] = OTHERS
    system.create(manifest)
    yield Pod("replica", controller.namespace)
    system.delete(manifest)


def labels(server: ApiServer, pod: Pod) -> dict[str, str]:
    """The labels of a pod, aside from the one that it was made with."""
    found = server.get(PODS.path(pod.name, namespace=pod.namespace))["metadata"]["labels"]
    assert found.items() >= OTHERS.items()
    return dict(found.items() - OTHERS.items())


@asynccontextmanager
async def marks(controller: Controller, pod: Pod | None) -> AsyncIterator[Mark]:
    async with client(kubeconfig=str(controller.kubeconfig)) as by:
        yield Mark(Calls(by, Limits(deadline_s=1.0)), pod)


async def test_the_label_is_on_while_a_replica_leads_and_off_once_it_is_deposed(
    system: ApiServer, controller: Controller, pod: Pod
) -> None:
    connection = ClusterConnection(servers=SETTINGS)
    async with asyncio.timeout(60), joined(connection, str(controller.kubeconfig), pod) as cluster:
        assert labels(system, pod) == {}
        await cluster.led()
        async with cluster.mark.on():
            await asyncio.to_thread(eventually, lambda: labels(system, pod) == {LEADS: "true"})
            system.patch(LEASES.path(LEASE, namespace=SYSTEM), {"spec": {"holderIdentity": "another"}})
            await cluster.deposed()
        assert labels(system, pod) == {}


async def test_a_label_that_a_process_before_left_goes_as_the_next_one_starts(
    system: ApiServer, controller: Controller, pod: Pod
) -> None:
    async with marks(controller, pod) as before, before.on():
        await asyncio.to_thread(eventually, lambda: labels(system, pod) == {LEADS: "true"})
        async with joined(ClusterConnection(servers=SETTINGS), str(controller.kubeconfig), pod):
            assert labels(system, pod) == {}


async def test_a_pod_that_there_is_not_is_none_that_is_made(controller: Controller, pod: Pod) -> None:
    async with marks(controller, replace(pod, name="gone")) as mark:
        with pytest.raises(CallError):
            await mark.take_off()


async def test_a_label_that_cannot_be_written_holds_up_nobody(
    controller: Controller, pod: Pod, caplog: pytest.LogCaptureFixture
) -> None:
    async with asyncio.timeout(20), marks(controller, replace(pod, namespace="elsewhere")) as mark, mark.on():
        await asyncio.to_thread(eventually, lambda: "has not the label of the leader yet" in caplog.text)
    assert "the label of the leader stays on the pod until it starts anew" in caplog.text


async def test_out_of_a_pod_nothing_is_asked(controller: Controller) -> None:
    pod = own_pod({"HOSTNAME": "workstation"})
    assert pod is None
    async with client(kubeconfig=str(controller.kubeconfig)) as by:
        calls = Calls(by)
        mark = Mark(calls, pod)
        await mark.take_off()
        async with mark.on():
            await asyncio.sleep(0)
        assert calls.answered == {}
