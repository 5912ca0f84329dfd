"""A large cluster as a controller leaves it that has filled it: servers stand, ready and loaded, made by the benchmark.

Playing thousands of nodes and making their pods one by one takes most of an hour on two processors. What stands here
is what would stand then: the objects that the controller applies, by its field manager, their pods as kubelets would
report them, the routes of the gateways, and the journal. Which node holds what is what the controller itself comes to
from empty servers. It may still find something better: `Followed` gives the servers that it moves their pods.
"""

import asyncio
import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from cluster_policy import ClusterPolicy

from collectors.snapshot import (
    Inventory,
    InventoryNode,
    LoadedModel,
    ModelState,
    Offered,
    Presence,
    Rate,
    Reading,
    Server,
    ServerState,
    Snapshot,
)
from collectors.triton_names import triton_name
from controller.acting.actuator import ActuatorError
from controller.acting.envoy import EnvoyActuator
from controller.acting.envoy_stages import services_of
from controller.acting.triton_config import overridden
from controller.cluster.api_server.calls import Calls, Limits
from controller.cluster.api_server.reaching import client
from controller.cluster.names import NODE, POOL, namespace_of, pod_of
from controller.cluster.servers.applying import Applier
from controller.cluster.servers.settings import ServerSettings
from controller.cluster.servers.workloads import workloads
from controller.connections.reading import read_connections
from controller.connections.servers import ServerKey
from controller.decision import Decision, State, Verdict
from controller.fleet import EMPTY, Fleet
from controller.journal.writer import Journal
from controller.planning.decide import decide
from controller.planning.polish import polished
from policy.resolved import Policy, Pool
from policy.source import load
from tests.cluster.api_server import ApiServer, Manifest
from tests.cluster.many_tritons.models import as_stored

MAKERS: Final = 8
MINUTE: Final = timedelta(minutes=1)
MOST_TURNS: Final = 20
ATTEMPTS: Final = 10
MANY: Final = 1000
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


@dataclass(frozen=True, slots=True)
class AtRest:
    """The last decision of a controller that has come to rest, with what it was made from."""

    policy: Policy
    snapshot: Snapshot
    state: State
    decision: Decision


def at_rest(policy: Policy, rates: Mapping[str, float]) -> AtRest:
    """What a controller comes to that finds empty nodes, minute by minute; `rates` as `ClusterPolicy` has them.

    It is at rest once a search at rest finds nothing better either.
    """
    now = datetime.now(UTC) - MOST_TURNS * MINUTE
    snapshot, state = _seen(policy, EMPTY, rates, now), State()
    for _ in range(MOST_TURNS):
        decision = decide(policy, snapshot, state, now)
        if decision.verdict is Verdict.KEEP:
            better = polished(policy, snapshot, decision.state, now, threading.Event())
            if better is None:
                return AtRest(policy, snapshot, state, decision)
            state = replace(decision.state, proposal=better)
        else:
            state = decision.state
        now += MINUTE
        snapshot = _seen(policy, decision.fleet, rates, now)
    raise SystemExit(f"what is decided does not come to rest within {MOST_TURNS} turns")


def _seen(policy: Policy, fleet: Fleet, rates: Mapping[str, float], now: datetime) -> Snapshot:
    """What collectors would tell of these servers."""
    holding: defaultdict[ServerKey, list[LoadedModel]] = defaultdict(list)
    for each in fleet.loads:
        name = each.placement.model, each.placement.variant
        loaded = LoadedModel(*name, ModelState.READY, each.instances, each.max_batch, each.queue_delay_us)
        holding[each.placement.pool, each.node].append(loaded)
    servers = (Server(p, Reading(ServerState(tuple(m)), now, "made"), node) for (p, node), m in holding.items())
    inventory = tuple(
        Inventory(pool.name, Reading(tuple(_node(pool, node, holding) for node in pool.node_names()), now, "made"))
        for pool in policy.pools
    )
    return Snapshot(now, tuple(servers), tuple(_offered(*each, now) for each in rates.items()), inventory=inventory)


def _node(pool: Pool, name: str, holding: Collection[ServerKey]) -> InventoryNode:
    return InventoryNode(name, server=Presence.READY if (pool.name, name) in holding else Presence.NONE)


def _offered(demand: str, rate: float, now: datetime) -> Offered:
    origin, service, _ = demand.split("/")
    return Offered(service, origin, Reading(Rate(round(1000 * rate), round(10 * rate), 10.0), now, "made"))


def journaled(journal: Path, rested: AtRest) -> None:
    """Have a journal end with a decision, for a controller to go on from."""
    with contextlib.closing(Journal.open(journal)) as writer:
        writer.decided(rested.policy, rested.snapshot, rested.state, rested.decision)
        writer.acted(rested.decision, "", (), rested.decision.state)


async def routed(connections: Path, rested: AtRest) -> None:
    """Have the gateways follow the routes of a decision; they may have much to do yet before they answer in time."""
    async with httpx.AsyncClient(trust_env=False) as client:
        gateways = EnvoyActuator(client, read_connections(connections).gateways)
        for left in reversed(range(ATTEMPTS)):
            try:
                await gateways.follow(rested.decision.fleet.routes, services_of(rested.policy))
            except ActuatorError:
                if not left:
                    raise
            else:
                return


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


class Followed:
    """What makes and takes away pods where the benchmark plays no nodes, beside so many that `stands`.

    Each StatefulSet that comes gets its pod and takes it along; a pod that is told to end has ended; and as many pods
    may be evicted as one likes. Threads that end when the API server does.
    """

    def __init__(self, server: ApiServer, stands: int) -> None:
        self._server = server
        self._stands = stands
        for path, take in (
            ("/apis/apps/v1/statefulsets", self._take_set),
            ("/api/v1/pods", self._take_pod),
            ("/apis/policy/v1/poddisruptionbudgets", self._take_budget),
        ):
            listed = server.get(path)
            for each in listed["items"] if take == self._take_budget else ():
                take("ADDED", each)
            version = listed["metadata"]["resourceVersion"]
            threading.Thread(target=self._follow, args=(path, version, take), daemon=True).start()

    def _follow(self, path: str, version: str, take: Callable[[str, Manifest], None]) -> None:
        with contextlib.suppress(httpx.RemoteProtocolError):
            for kind, changed in self._server.changes(path, version):
                take(kind, changed)

    def _take_set(self, kind: str, of: Manifest) -> None:
        pool, node = of["metadata"]["labels"][POOL], of["metadata"]["annotations"][NODE]
        if kind == "ADDED":
            self._stands += 1
            _run(self._server, of, pool, node, self._stands)
        elif kind == "DELETED":
            self._server.remove(f"/api/v1/namespaces/{namespace_of(pool)}/pods/{pod_of(node)}")

    def _take_pod(self, kind: str, pod: Manifest) -> None:
        metadata = pod["metadata"]
        if kind == "MODIFIED" and "deletionTimestamp" in metadata:
            self._server.remove(f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}")

    def _take_budget(self, kind: str, budget: Manifest) -> None:
        metadata, at = budget["metadata"], budget["metadata"]["generation"]
        if kind != "DELETED" and budget.get("status", {}).get("observedGeneration") != at:
            healthy = {"currentHealthy": MANY, "desiredHealthy": 0, "expectedPods": MANY, "disruptionsAllowed": MANY}
            path = f"/apis/policy/v1/namespaces/{metadata['namespace']}/poddisruptionbudgets/{metadata['name']}/status"
            self._server.patch(path, {"status": {"observedGeneration": at, **healthy}})


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
