"""Who leads, on a real API server: a deposed leader's writes are refused, and one that dies is followed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubernetes_validate import validate

from controller.acting.waiting import until
from controller.cluster.api_server.calls import Calls, Limits
from controller.cluster.api_server.errors import ForbiddenError, RefusedError
from controller.cluster.api_server.reaching import client
from controller.cluster.api_server.resources import LEASES, PODS
from controller.cluster.leading.fencing import Account, DeposedError, account_of, fence, manifests
from controller.cluster.leading.leader import Leadership
from controller.cluster.leading.lease import LEASE, Timing
from controller.cluster.names import MANAGED_BY, MANAGER, SYSTEM
from tests.cluster.accounts import Controller, controller_of, put_up, take_away
from tests.cluster.api_server import ApiServer
from tests.cluster.leader import MAPS, WRITTEN, written

pytestmark = pytest.mark.cluster

SHORT = Timing(duration_s=2, lead_s=1.4, look_s=0.3)


@dataclass(frozen=True, slots=True)
class Stale:
    """A leader that does not look at its clock, as one that was stopped between looking and writing."""

    said: str

    def term(self) -> str:
        return self.said


@pytest.fixture(scope="module")
def controller(system: ApiServer, kubeconfig: Path) -> Iterator[Controller]:
    """The controller's account, in a cluster without the fence."""
    with controller_of(system, kubeconfig, "leading") as controller:
        yield controller


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def calls(stack: AsyncExitStack, controller: Controller, term: str | None = None) -> Calls:
    """Calls by the account, which say a term where one is given."""
    by = await stack.enter_async_context(client(kubeconfig=str(controller.kubeconfig)))
    if term is not None:
        fence(by, Stale(term), Account(controller.user))
    return Calls(by, Limits(deadline_s=2.0))


async def replica(stack: AsyncExitStack, controller: Controller, name: str) -> Leadership:
    """One that runs until the test is over."""
    leadership = Leadership(await calls(stack, controller), name, SHORT)
    running = asyncio.create_task(leadership.run())
    stack.push_async_callback(ended, running)
    return leadership


async def ended(running: "asyncio.Task[None]") -> None:
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def named(controller: Controller, name: str) -> dict[str, Any]:
    """The metadata of an object of ours."""
    return {"name": name, "namespace": controller.namespace, "labels": {MANAGED_BY: MANAGER}}


def test_the_policy_is_as_kubernetes_has_it() -> None:
    for manifest in manifests("system:serviceaccount:gridwright-system:gridwright"):
        validate(manifest, "1.36", strict=True)


async def test_nobody_leads_until_the_api_server_holds_writes_against_the_lease(
    system: ApiServer, controller: Controller, stack: AsyncExitStack
) -> None:
    first = await replica(stack, controller, "first")
    await asyncio.sleep(3 * SHORT.look_s)
    assert system.get(LEASES.path(LEASE, namespace=SYSTEM))["spec"]["holderIdentity"] == "first"
    assert not first.is_leading
    with pytest.raises(DeposedError):
        first.term()
    put_up(system, controller.user)
    async with asyncio.timeout(30):
        await first.led()
    assert first.term() == "1.first"


async def test_what_a_deposed_leader_writes_deletes_or_evicts_is_refused(
    system: ApiServer, controller: Controller, stack: AsyncExitStack
) -> None:
    async with AsyncExitStack() as life, asyncio.timeout(30):
        before = await replica(life, controller, "before")
        await before.led()
        term = before.term()
        by = await calls(stack, controller, term)
        await by.apply(
            MAPS.path(WRITTEN, namespace=controller.namespace), written(controller.namespace, term, 0), MANAGER
        )
        pod = {
            "metadata": named(controller, "pod"),
            "spec": {"containers": [{"name": "a", "image": "a"}]},
        }
        system.create({"apiVersion": "v1", "kind": "Pod", **pod})
    after = await replica(stack, controller, "after")
    async with asyncio.timeout(30):
        await after.led()
    said = rf"the term is {after.term()}, and this is of {term}"
    with pytest.raises(ForbiddenError, match=said):
        await by.apply(
            MAPS.path(WRITTEN, namespace=controller.namespace), written(controller.namespace, term, 1), MANAGER
        )
    with pytest.raises(ForbiddenError, match=said):
        await by.delete(MAPS.path(WRITTEN, namespace=controller.namespace))
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": pod["metadata"]}
    path = PODS.path("pod", namespace=controller.namespace, subresource="eviction")
    with pytest.raises(ForbiddenError, match=said):
        await by.create(path, eviction)
    with pytest.raises(ForbiddenError, match="this is of none"):
        await (await calls(stack, controller)).create(path, eviction)
    leading = await calls(stack, controller, after.term())
    await leading.apply(
        MAPS.path(WRITTEN, namespace=controller.namespace), written(controller.namespace, "", 2), MANAGER
    )
    await leading.create(path, eviction)
    await leading.delete(MAPS.path(WRITTEN, namespace=controller.namespace))


def test_the_groups_of_a_person_are_named_and_those_of_a_service_account_follow() -> None:
    def told(user: str, *groups: str) -> Account:
        return account_of({"status": {"userInfo": {"username": user, "groups": list(groups)}}})

    assert told("jo", "operators", "system:authenticated") == Account("jo", ("operators",))
    robot = "system:serviceaccount:gridwright-system:gridwright"
    assert told(robot, "system:serviceaccounts", "system:authenticated") == Account(robot)
    assert account_of({}) == Account("")


async def test_a_person_keeps_the_rights_of_their_groups(
    system: ApiServer, kubeconfig: Path, stack: AsyncExitStack
) -> None:
    by = await stack.enter_async_context(client(kubeconfig=str(kubeconfig)))
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    account = account_of(system.create(review | {"metadata": {}}))
    assert account == Account("administrator", ("system:masters",))
    fence(by, Stale("1.a"), account)
    path = MAPS.path("of-groups", namespace="default")
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "of-groups", "namespace": "default"}}
    await Calls(by).apply(path, manifest, MANAGER)
    await Calls(by).delete(path)


async def test_without_the_lease_nobody_writes_what_is_ours_and_everybody_what_is_theirs(
    system: ApiServer, controller: Controller, stack: AsyncExitStack
) -> None:
    async with AsyncExitStack() as life, asyncio.timeout(30):
        leader = await replica(life, controller, "leader")
        await leader.led()
        by = await calls(stack, controller, leader.term())
    take_away(system, controller.user)
    put_up(system, controller.user)
    map_path, manifest = MAPS.path(WRITTEN, namespace=controller.namespace), written(controller.namespace, "", 0)

    async def is_refused() -> bool:
        try:
            await by.apply(map_path, manifest, MANAGER, dry_run=True)
        except RefusedError as error:
            return "no params found" in error.message
        return False

    async with asyncio.timeout(30):
        await until(is_refused)
    others = {"name": "of-others", "namespace": controller.namespace}
    system.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": others})
