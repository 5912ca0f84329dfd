"""The controller's role is what it needs: all that it does is allowed, and nothing else is.

A row of `DEEDS` is something that the controller does in a cluster, done with its account. Whatever new it comes to do
is a new row, and what its row needs goes into the chart's role.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from collectors.snapshot import Snapshot
from controller.acting.actuator import ActuatorError
from controller.actions import SetLoad, SetRoutes
from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.errors import ForbiddenError
from controller.cluster.api_server.reaching import client
from controller.cluster.api_server.resources import Resource
from controller.cluster.custom_resources.policies import ClusterPolicy
from controller.cluster.custom_resources.reporting import StatusReporter
from controller.cluster.inventory.collector import ClusterInventory
from controller.cluster.leading.fencing import REFUSAL, Account, fence
from controller.cluster.leading.leader import Leadership
from controller.cluster.leading.marking import Mark, Pod
from controller.cluster.names import MANAGED_BY, MANAGER, ROUTES
from controller.cluster.routes.routing import RoutesActuator
from controller.cluster.routes.settings import GatewaySettings, Listener
from controller.cluster.servers.applying import Applier
from controller.cluster.servers.door import Door
from controller.cluster.servers.serving import ServersActuator
from controller.cluster.servers.standing import GRANTS, KEPT, ROUTED, is_ours
from controller.cluster.servers.standing import KINDS as KINDS_WRITTEN
from controller.cluster.servers.workloads import priority, workloads
from controller.fleet import Load, RouteSet
from controller.loop.policies import InForce, reloaded
from controller.loop.status import Status
from policy.cluster.resources import resources as policy_of
from policy.documents import API_VERSION, KINDS
from policy.schema.crd import plural
from policy.schema.files import DEFINITIONS
from tests.acting.world import ORIENT, PARIS, world
from tests.cluster.api_server import PATIENCE_S, ApiServer, eventually, one
from tests.cluster.contour import DEFINITIONS as OF_GATEWAYS
from tests.cluster.contour import GROUP, definitions
from tests.cluster.everything import everything
from tests.cluster.fleet import SETTINGS, pool, stand
from tests.cluster.fleet import asked as asked_for
from tests.cluster.helm import NAMESPACE, ROOT, USER, Manifest
from tests.cluster.pods import restricted
from tests.cluster.rendering import namespace
from tests.cluster.role import Asked, Right, as_controller, asked, covers, granted, of_account
from tests.cluster.whole import played
from tests.cluster.written import files, resources

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("helm_is_built")]

EDGE = pool("edge", nodes=1)
OWN = restricted("gridwright-0", NAMESPACE)
"""The pod that the controller runs in."""


async def reads_the_policy(kubeconfig: Path) -> None:
    """The documents of a cluster, as `kubernetes:CONTEXT` names them."""
    read = await asyncio.to_thread(policy_of, "controller", str(kubeconfig))
    assert {each["kind"] for each in read} == set(KINDS)


async def follows_the_policy_and_tells_of_it(kubeconfig: Path) -> None:
    """Follows every kind of document, and tells of each what a turn made of it."""
    async with client("controller", str(kubeconfig)) as reached:
        policy = ClusterPolicy(Calls(reached), now)
        reporter = StatusReporter(Calls(reached), policy, "this", now)
        async with policy.running():
            loaded = await asyncio.to_thread(policy.load)
            reporter.observe(Status(in_force=reloaded(InForce(), loaded, now())))
            await reporter.write()
            await watched(kubeconfig, *map(plural, KINDS))


async def follows_what_there_is_for_servers(kubeconfig: Path) -> None:
    """Nodes, pods and quotas."""
    async with client("controller", str(kubeconfig)) as reached:
        inventory = ClusterInventory(Calls(reached), lambda: (EDGE,), {"card": "nvidia.com/gpu"}, now)
        async with inventory.running():
            seen = await inventory.collect(now())
            await watched(kubeconfig, "nodes", "pods", "resourcequotas")
    assert [len(each.reading.value or ()) for each in seen.inventory] == [EDGE.nodes]


async def leads_and_has_servers_stand(kubeconfig: Path) -> None:
    """Takes the lease, has a server stand, has it go again, and gives the lease up: with each write in its term."""
    async with leading(kubeconfig) as calls:
        applier = Applier(calls)
        done = await applier.apply(asked_for(EDGE, *EDGE.node_names()))
        assert (done.findings, len(done.written)) == ((), len(KINDS_WRITTEN))
        done = await applier.apply(())
        assert done.findings == ()
        assert {each.kind for each in done.removed} == KINDS_WRITTEN.keys() - set(KEPT)


async def waits_for_a_server_before_its_first_load(kubeconfig: Path) -> None:
    """Has a server stand, looks at its pod, and tells why it does not serve in time."""
    settings = SETTINGS.model_copy(update={"devices": {world().pool(PARIS).device: None}})
    async with leading(kubeconfig) as calls, httpx.AsyncClient(trust_env=False) as reached:
        servers = ServersActuator(calls, reached, settings, Applier(calls), ready_s=0)
        with pytest.raises(ActuatorError, match="not ready"):
            await servers.apply("decision", SetLoad(Load(ORIENT, 1, 2, 700, f"{PARIS}-0")), world())
        done = await Applier(calls).apply(())
        assert [each.kind for each in done.removed].count("StatefulSet") == 1


async def sets_routes(kubeconfig: Path) -> None:
    """Has what routes lead to stand, writes routes of both kinds, looks whether they are followed, and removes them."""
    gateway = GatewaySettings(namespace="edge", name="away", section="http", grpc=Listener(section="grpc"))
    asleep = SetRoutes((RouteSet("crops", "edge-paris", ()),))
    async with leading(kubeconfig) as calls:
        applier = Applier(calls, {**KINDS_WRITTEN, **GRANTS})
        wanted = workloads((EDGE,), {EDGE.name: frozenset(EDGE.node_names())}, SETTINGS, routed=True)
        assert (await applier.apply(wanted.manifests)).findings == ()
        routes = RoutesActuator(calls, {"edge-paris": gateway}, followed_s=0)
        with pytest.raises(ActuatorError, match="GW2164"):
            await routes.apply("decision", asleep, world())
        assert {each.key.kind for each in await Applier(calls, ROUTED).standing()} == ROUTED.keys()
        await routes.apply("decision", SetRoutes(()), replace(world(), services=()))
        assert await routes.routes() == ()
        done = await applier.apply(())
        assert "ReferenceGrant" in {each.kind for each in done.removed}


async def has_servers_admitted(kubeconfig: Path) -> None:
    """Writes where servers may stand, and sees that something judges by it."""
    async with leading(kubeconfig) as calls:
        assert await Door(calls).keep(world(), Snapshot(now()), ()) == ()


async def marks_the_pod_that_leads(kubeconfig: Path) -> None:
    """Puts the label of the leader on its own pod, and takes it off."""
    async with client("controller", str(kubeconfig)) as reached:
        mark = Mark(Calls(reached), Pod(OWN["metadata"]["name"], NAMESPACE))
        async with mark.on():
            await noted(kubeconfig, "patch", "pods")


@asynccontextmanager
async def leading(kubeconfig: Path) -> AsyncIterator[Calls]:
    """Calls of the leader, once this is one."""
    async with client("controller", str(kubeconfig)) as plain, client("controller", str(kubeconfig)) as writing:
        leadership = Leadership(Calls(plain), "this")
        fence(writing, leadership, Account(USER))
        running = asyncio.create_task(leadership.run())
        try:
            async with asyncio.timeout(PATIENCE_S):
                await leadership.led()
            yield Calls(writing)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


DEEDS: tuple[Callable[[Path], Coroutine[Any, Any, None]], ...] = (
    reads_the_policy,
    follows_the_policy_and_tells_of_it,
    follows_what_there_is_for_servers,
    leads_and_has_servers_stand,
    sets_routes,
    has_servers_admitted,
    marks_the_pod_that_leads,
    waits_for_a_server_before_its_first_load,
)


async def watched(kubeconfig: Path, *names: str) -> None:
    """Wait until these resources are watched: what follows them has listed them before."""
    await noted(kubeconfig, "watch", *names)


async def noted(kubeconfig: Path, verb: str, *names: str) -> None:
    """Wait until the server has noted that these resources were asked for by a verb."""

    def are_asked_for() -> bool:
        seen = (right for each in asked(kubeconfig.parent) for right in each.rights)
        return set(names) <= {right.resource for right in seen if right.verb == verb}

    await asyncio.to_thread(eventually, are_asked_for)


def now() -> datetime:
    return datetime.now(UTC)


def documents() -> list[Manifest]:
    """One document of each kind, whether or not they make a policy."""
    texts = [
        pair
        for folder in sorted(each for each in (ROOT / "examples").iterdir() if each.is_dir())
        for pair in files(folder)
    ]
    found = (manifest for name, text in texts for _, manifest in resources(name, text))
    environment = {"apiVersion": API_VERSION, "kind": "Environment", "metadata": {"name": "dev"}, "spec": {}}
    return [*{manifest["kind"]: manifest for manifest in found}.values(), environment]


@pytest.fixture(scope="module")
def role() -> list[Manifest]:
    return of_account()


@pytest.fixture(scope="module")
def account(bare: ApiServer, bare_work: Path, role: list[Manifest]) -> Iterator[Path]:
    """A kubeconfig of the controller's account, which has its role and no other, where every kind is defined."""
    before = everything(bare)
    kinds = [*(yaml.safe_load(file.read_text()) for file in DEFINITIONS.glob("*.yaml")), *definitions(OF_GATEWAYS)]
    made = [namespace(), *kinds, *role]
    for manifest in made:
        bare.create(manifest)
    stand(bare, EDGE)
    eventually(lambda: all(bare.is_served(f"/apis/{API_VERSION}/{plural(kind)}") for kind in KINDS))
    eventually(lambda: all(bare.is_served(f"/apis/{GROUP}/{kind}") for kind in ("httproutes", "grpcroutes")))
    eventually(lambda: bare.is_served(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"))
    for manifest in (*documents(), OWN):
        bare.create(manifest)
    yield as_controller(bare, bare_work)
    pools = [each for each in bare.get("/api/v1/namespaces")["items"] if is_ours(each)]
    spaces = (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": each["metadata"]["name"]}} for each in pools
    )
    for manifest in (*reversed(made), *spaces, priority(), played(f"{EDGE.name}-0", EDGE.name)):
        bare.delete(manifest)
    eventually(lambda: everything(bare) == before)


@pytest.fixture(scope="module")
def done(account: Path, bare_work: Path) -> list[Asked]:
    """All that was asked for while everything was done."""
    for deed in DEEDS:
        asyncio.run(deed(account))
    return asked(bare_work)


def test_whatever_the_controller_does_is_allowed(done: list[Asked]) -> None:
    assert len(done) >= len(KINDS)
    refused = [each for each in done if each.status in {401, 403}]
    # A leader asks by a dry run, which says no term, whether writes of other terms are refused by now.
    assert {right.resource for each in refused if each.is_dry_run for right in each.rights} == {"priorityclasses"}
    assert [each for each in refused if not each.is_dry_run] == []


def test_no_right_is_unused(done: list[Asked], role: list[Manifest]) -> None:
    used = {right for each in done for right in each.rights}
    assert {right for right in granted(role) if not any(covers(right, each) for each in used)} == set()


def test_what_is_not_in_the_role_is_refused_and_noted(account: Path, bare_work: Path) -> None:
    with pytest.raises(ForbiddenError):
        asyncio.run(secrets(account))
    assert asked(bare_work)[-1] == Asked((Right("list", "", "secrets", NAMESPACE),), 403, is_dry_run=False)


async def secrets(kubeconfig: Path) -> object:
    """What no controller has to read."""
    async with client("controller", str(kubeconfig)) as reached:
        return await Calls(reached).get(Resource("v1", "secrets").path(namespace=NAMESPACE))


async def test_what_a_leader_writes_is_kept_to_the_namespaces_of_pools(done: list[Asked], account: Path) -> None:
    assert done  # so that the namespace of a pool is there
    async with leading(account) as calls:
        told = [await refusal(calls, manifest) for manifest in CONFINED]
    away = "the controller writes to the namespaces of pools, and not to "
    unrestricted = "the namespace of a pool takes restricted pods alone"
    assert told == [
        "",
        f"{away}gridwright-system",
        f"{away}default",
        "",
        unrestricted,
        unrestricted,
        f"{away}elsewhere",
        "",
        f"{away}default",
    ]


async def test_a_route_is_written_by_who_leads_and_by_nobody_else(done: list[Asked], account: Path) -> None:
    assert done  # so that the namespace of routes is there
    ours = route_in(ROUTES)
    ours["metadata"]["labels"] = {MANAGED_BY: MANAGER}
    async with leading(account) as calls, client("controller", str(account)) as of_no_term:
        assert await refusal(calls, ours) == ""
        assert (await refusal(Calls(of_no_term), ours)).startswith(REFUSAL)


def account_in(within: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "tried", "namespace": within}}


def namespace_with(name: str, **labels: str) -> Manifest:
    of_security = {f"pod-security.kubernetes.io/{how}": level for how, level in labels.items()}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": of_security}}


def route_in(within: str) -> Manifest:
    return {"apiVersion": GROUP, "kind": "HTTPRoute", "metadata": {"name": "tried", "namespace": within}, "spec": {}}


CONFINED = (
    account_in("gridwright-edge"),
    account_in("gridwright-system"),
    account_in("default"),
    namespace_with("gridwright-new", enforce="restricted"),
    namespace_with("gridwright-new", enforce="baseline"),
    namespace_with("gridwright-new", warn="restricted"),
    namespace_with("elsewhere", enforce="restricted"),
    route_in(ROUTES),
    route_in("default"),
)


async def refusal(calls: Calls, manifest: Manifest) -> str:
    """Why an object may not be written, in the words of the policy; empty where it may."""
    try:
        await calls.apply(one(manifest), manifest, "gridwright", dry_run=True)
    except ForbiddenError as error:
        return error.message.rpartition("denied request: ")[2]
    return ""
