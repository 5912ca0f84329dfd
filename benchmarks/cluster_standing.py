"""A large cluster as a controller leaves it that has filled it: servers stand, ready and loaded, made by the benchmark.

Playing thousands of nodes and making their pods one by one takes most of an hour on two processors. What stands here
is what would stand then: the objects that the controller applies, by its field manager, and their pods as kubelets
would report them. Which node holds what is what the controller itself would decide on empty servers.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from cluster_policy import ClusterPolicy

from collectors.snapshot import Inventory, InventoryNode, Reading, Snapshot
from collectors.triton_names import triton_name
from controller.acting.triton_config import overridden
from controller.cluster.api_server.calls import Calls, Limits
from controller.cluster.api_server.reaching import client
from controller.cluster.names import namespace_of, pod_of
from controller.cluster.servers.applying import Applier
from controller.cluster.servers.settings import ServerSettings
from controller.cluster.servers.workloads import workloads
from controller.decision import State
from controller.fleet import Fleet
from controller.planning.decide import decide
from policy.resolved import Policy
from policy.source import load
from tests.cluster.api_server import ApiServer, Manifest
from tests.cluster.many_tritons.models import as_stored

MAKERS = 8
READY = [{"type": kind, "status": "True"} for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")]


def resolved(fleet: ClusterPolicy, work: Path) -> Policy:
    """The policy that the documents make."""
    folder = work / "policy"
    folder.mkdir()
    (folder / "fleet.yaml").write_text(fleet.text())
    loaded = load(folder)
    if loaded.policy is None:
        raise SystemExit("\n".join(map(str, loaded.findings)))
    return loaded.policy


def decided(policy: Policy) -> Fleet:
    """What a controller would have stand on nodes that have nothing."""
    now = datetime.now(UTC)
    nodes = {pool.name: tuple(map(InventoryNode, pool.node_names())) for pool in policy.pools}
    inventory = tuple(Inventory(name, Reading(each, now, "made")) for name, each in nodes.items())
    return decide(policy, Snapshot(now, inventory=inventory), State(), now).fleet


def held(fleet: Fleet) -> dict[str, dict[str, Any]]:
    """By node the configurations of the models that its server holds."""
    found: dict[str, dict[str, Any]] = {}
    for each in fleet.loads:
        name = triton_name(each.placement.model, each.placement.variant)
        found.setdefault(each.node, {})[name] = overridden(as_stored(name), each)
    return found


def stand(server: ApiServer, kubeconfig: Path, policy: Policy, fleet: Fleet, settings: ServerSettings) -> int:
    """Have the servers of a fleet stand; how many."""
    used: dict[str, set[str]] = {}
    for load_ in fleet.loads:
        used.setdefault(load_.placement.pool, set()).add(load_.node)
    wanted = workloads(policy.pools, used, settings).manifests
    asyncio.run(_applied(kubeconfig, wanted))
    sets = [each for each in wanted if each["kind"] == "StatefulSet"]
    nodes = [(pool, node) for pool in (pool.name for pool in policy.pools) for node in sorted(used.get(pool, ()))]
    with ThreadPoolExecutor(MAKERS) as makers:
        list(makers.map(lambda at: _run(server, sets[at], *nodes[at], at), range(len(nodes))))
    return len(nodes)


async def _applied(kubeconfig: Path, wanted: tuple[Manifest, ...]) -> None:
    async with client(kubeconfig=str(kubeconfig)) as by:
        applied = await Applier(Calls(by, Limits(deadline_s=600, attempt_s=60))).apply(wanted, removes=False)
    if applied.findings:
        raise SystemExit("\n".join(map(str, applied.findings[:5])))


def _run(server: ApiServer, of: Manifest, pool: str, node: str, at: int) -> None:
    """The pod of a server, as the kubelet of its node reports it."""
    template = msgspec.to_builtins(of["spec"]["template"])
    metadata = {**template["metadata"], "name": pod_of(node), "namespace": namespace_of(pool)}
    spec = {**template["spec"], "nodeName": node}
    server.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    path = f"/api/v1/namespaces/{namespace_of(pool)}/pods/{pod_of(node)}/status"
    address = f"127.{64 + at // 62_500}.{1 + at // 250 % 250}.{1 + at % 250}"
    status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": READY}
    server.patch(path, {"status": status})
