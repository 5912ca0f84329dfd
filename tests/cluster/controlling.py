"""A whole controller in a real cluster, with the rights that the chart gives it: behind each pod is a real Triton."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from controller.acting.triton import TritonServer, servers_of
from controller.admission.door import NAME
from controller.assembly import controller
from controller.cluster.leading.marking import Pod
from controller.cluster.names import SYSTEM, namespace_of
from controller.connections.cluster import ClusterConnection
from controller.connections.connections import Connections
from controller.embedded.fleet import EmbeddedFleet
from controller.embedded.ports import HOST, free_ports
from controller.loop.status import Status
from controller.places import Places
from tests.cluster.accounts import take_away
from tests.cluster.api_server import ApiServer, eventually, one
from tests.cluster.fleet import SETTINGS
from tests.cluster.helm import USER
from tests.cluster.pods import restricted
from tests.cluster.role import as_controller, of_account
from tests.loop.real import Watched

OWN = "gridwright-0"
"""The pod that the controller runs in."""
NOBODY = TritonServer(f"http://{HOST}:9", f"http://{HOST}:9/metrics", f"{HOST}:9")
"""Where no Triton answers."""


@contextmanager
def accounted(cluster: ApiServer, work: Path) -> Iterator[Path]:
    """The kubeconfig of the controller's account, with the rights that the chart gives it and no others."""
    if not cluster.is_served(f"/api/v1/namespaces/{SYSTEM}"):
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}})
    eventually(lambda: cluster.is_served(f"/api/v1/namespaces/{SYSTEM}/serviceaccounts/default"))
    role = [*of_account(), restricted(OWN, SYSTEM)]
    for manifest in role:
        cluster.create(manifest)
    yield as_controller(cluster, work)
    admitted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME, "namespace": SYSTEM}}
    if cluster.is_served(one(admitted)):
        cluster.delete(admitted)  # first: without a lease the fence refuses that
    take_away(cluster, USER)
    for manifest in role:
        if cluster.is_served(one(manifest)):
            cluster.delete(manifest)


def places_of(policy: Path, tritons: EmbeddedFleet, kubeconfig: Path, work: Path) -> Places:
    """Where the controller finds its parts: the cluster by its kubeconfig, and the gateways of some Tritons."""
    otlp, api = free_ports(2)
    connections = Connections(
        cluster=ClusterConnection(servers=SETTINGS.model_copy(update={"devices": {"edge-module": None}})),
        gateways=tritons.connections.gateways,
        otlp=f"{HOST}:{otlp}",
        api=f"{HOST}:{api}",
    )
    return Places(policy, work / "journal.db", connections, kubeconfig=str(kubeconfig), pod=Pod(OWN, SYSTEM))


@asynccontextmanager
async def at_work(places: Places, cluster: ApiServer, tritons: EmbeddedFleet) -> AsyncIterator[Watched]:
    """A controller that finds behind the pod of each node the real Triton of that node."""
    real = servers_of(tritons.connections)
    known: dict[str, TritonServer] = {}

    def reach(address: str) -> TritonServer:
        # A pod that is deleted may be asked for until the informer has been told so; those of other tests' pools may.
        for pool in tritons.connections.servers:
            for node in _at(cluster, pool, address):
                known[address] = real.get((pool, node)) or real[pool, ""]
        return known.get(address, NOBODY)

    async with controller(places, reach=reach) as running:
        yield Watched(running)


def _at(cluster: ApiServer, pool: str, address: str) -> list[str]:
    """The node of a pool whose server's pod has an IP, where there is one."""
    items = cluster.get(f"/api/v1/namespaces/{namespace_of(pool)}/pods")["items"]
    return [each["spec"]["nodeName"] for each in items if each.get("status", {}).get("podIP") == address]


def runs_on(status: Status) -> set[str]:
    """The nodes on which the last decision has instances."""
    return {load.node for load in status.decision.fleet.loads} if status.decision else set()
