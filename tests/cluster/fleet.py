"""A pool of a test with nodes that KWOK plays, and its servers as a plan asks for them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from controller.cluster.api_server.calls import Calls, Limits
from controller.cluster.api_server.reaching import client
from controller.cluster.names import namespace_of
from controller.cluster.servers.settings import ServerSettings
from controller.cluster.servers.workloads import workloads
from policy.findings import Place
from policy.resolved import Pool, Purchase
from tests.cluster.api_server import ApiServer, Manifest, eventually
from tests.cluster.whole import played

SETTINGS = ServerSettings.model_validate(
    {"image": "triton", "repository": {"url": "s3://models"}, "devices": {"card": "nvidia.com/gpu", "xeon": None}}
)


def pool(name: str, nodes: int = 3, device: str = "card") -> Pool:
    """A pool of a policy."""
    return Pool(name, "paris", device, nodes, 8_000, 1_000, 10, Purchase.OWNED, Place("fleet.yaml", 7, 1))


def stand(server: ApiServer, *pools: Pool) -> None:
    """Have KWOK play all nodes of pools, and return once it does."""
    names = {name: pool.name for pool in pools for name in pool.node_names()}
    for name, pool_name in names.items():
        server.create(played(name, pool_name, **{"ephemeral-storage": "100Gi"}))
    eventually(lambda: all(is_ready(server.get(f"/api/v1/nodes/{name}")) for name in names))


def is_ready(shown: Manifest) -> bool:
    """Whether a node or a pod is."""
    conditions = shown.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def asked(pool: Pool, *used: str, settings: ServerSettings = SETTINGS) -> tuple[Manifest, ...]:
    """What a plan asks for that uses some nodes of a pool."""
    return workloads((pool,), {pool.name: frozenset(used)}, settings).manifests


def pods(server: ApiServer, pool: Pool) -> dict[str, Manifest]:
    """The pods of a pool's servers, by the node that they are bound to; those that are bound to none by their name."""
    items = server.get(f"/api/v1/namespaces/{namespace_of(pool.name)}/pods")["items"]
    return {each["spec"].get("nodeName") or each["metadata"]["name"]: each for each in items}


@asynccontextmanager
async def calls(kubeconfig: Path, limits: Limits = Limits()) -> AsyncIterator[Calls]:  # noqa: B008 -- it is frozen
    """Calls by the administrator of the tests."""
    async with client(kubeconfig=str(kubeconfig)) as by:
        yield Calls(by, limits)
