"""What following a cluster costs: a real API server, nodes and pods by the thousand, a follower in a process apart.

Nodes and pods are made as their kubelets would report them; nothing runs on them. The follower lists everything, and
then takes heartbeats of nodes, which change nothing, at the rate of `--heartbeats` a second, and the cordoning of a
node now and then, which does. Prints a table and, as its last line, a JSON object.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from controller.cluster.api_server.calls import Calls
from controller.cluster.api_server.reaching import client
from controller.cluster.inventory.collector import ClusterInventory
from policy.findings import Place
from policy.resolved import Pool, Purchase
from tests.cluster.api_server import ApiServer, Manifest
from tests.cluster.starting import BUILT, KUBECONFIG, api_server
from tests.cluster.whole import played

GPU = "nvidia.com/gpu"
SETTLE_S = 3.0
CORDONED_EVERY_S = 5.0
MIB_OF_KIB = 1024


@dataclass(frozen=True, slots=True)
class Followed:
    """What a follower saw of its own cost."""

    nodes: int
    listed_s: float
    listing_cpu_s: float
    rss_mib: float
    collect_ms: float
    steady_cpu_percent: float
    changes: int
    calls: dict[str, int]


def main() -> None:
    """Fill a cluster, follow it, and print what that took."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--nodes", type=int, default=2000)
    asked.add_argument("--pods", type=int, default=5000)
    asked.add_argument("--pools", type=int, default=20)
    asked.add_argument("--heartbeats", type=float, default=10.0)
    asked.add_argument("--seconds", type=float, default=60.0)
    asked.add_argument("--follow", type=Path, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.follow:
        print(json.dumps(asdict(asyncio.run(follow(given.follow, given.pools, given.seconds)))))
        return
    with tempfile.TemporaryDirectory() as folder, api_server(BUILT, Path(folder)) as server:
        began = time.monotonic()
        fill(server, given.nodes, given.pods, given.pools)
        print(f"made {given.nodes} nodes and {given.pods} pods in {time.monotonic() - began:.0f} s")
        with follower(Path(folder) / KUBECONFIG, given) as process:
            beat(server, given.nodes, given.heartbeats, process)
            told = process.communicate()[0]
    found = Followed(**json.loads(told.splitlines()[-1]))
    for name, value in asdict(found).items():
        print(f"{name:>20} {value if not isinstance(value, float) else f'{value:.2f}'}")
    print(json.dumps(asdict(found)))


@contextmanager
def follower(kubeconfig: Path, given: argparse.Namespace) -> Iterator["subprocess.Popen[str]"]:
    """This program again, as the follower."""
    command = [sys.executable, __file__, "--follow", kubeconfig, "--pools", given.pools, "--seconds", given.seconds]
    process = subprocess.Popen([str(each) for each in command], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()


def fill(server: ApiServer, nodes: int, pods: int, pools: int) -> None:
    """Make the nodes, ready and by turns in the pools, and the pods on them by turns: the first on each has its GPU."""
    server.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "served"}})
    with ThreadPoolExecutor(8) as makers:
        list(makers.map(server.create, (node(at, pools) for at in range(nodes))))
        list(makers.map(server.create, (pod(at, nodes) for at in range(pods))))


def node(at: int, pools: int) -> Manifest:
    """A node that says that it is ready."""
    made = played(f"node-{at}", f"pool-{at % pools}", memory="256Gi")
    status = {**made["status"], "conditions": [{"type": "Ready", "status": "True", "reason": "Up", "message": "up"}]}
    return {**made, "status": status}


def pod(at: int, nodes: int) -> Manifest:
    """A pod of ours that is bound to its node."""
    limits = {GPU: "1"} if at < nodes else {"cpu": "1"}
    container = {"name": "triton", "image": "triton", "resources": {"limits": limits}}
    metadata = {"name": f"pod-{at}", "namespace": "served", "labels": {"app.kubernetes.io/managed-by": "gridwright"}}
    spec = {"nodeName": f"node-{at % nodes}", "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def beat(server: ApiServer, nodes: int, a_second: float, process: "subprocess.Popen[str]") -> None:
    """Report heartbeats of nodes, one after the other, until the follower has ended."""
    began, at = time.monotonic(), 0
    while process.poll() is None:
        name = f"/api/v1/nodes/node-{at % nodes}"
        condition = {"type": "Ready", "status": "True", "reason": "Up", "lastHeartbeatTime": instant()}
        server.patch(f"{name}/status", {"status": {"conditions": [{**condition, "message": f"beat {at}"}]}})
        at += 1
        if at % int(a_second * CORDONED_EVERY_S) == 0:
            server.patch(name, {"spec": {"unschedulable": True}})
        time.sleep(max(0.0, began + at / a_second - time.monotonic()))


def instant() -> str:
    """Now, as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def follow(kubeconfig: Path, pools: int, seconds: float) -> Followed:
    """Follow for so long after everything was listed, taking a snapshot every 5 s as the loop does."""
    place = Place("fleet.yaml", 1, 1)
    wanted = [Pool(f"pool-{at}", "site", "card", 1, 1, 1000, 1, Purchase.OWNED, place) for at in range(pools)]
    changes = 0

    def changed() -> None:
        nonlocal changes
        changes += 1

    began, cpu_s = time.monotonic(), time.process_time()
    async with client("tests", str(kubeconfig)) as reached:
        calls = Calls(reached)
        inventory = ClusterInventory(calls, lambda: wanted, {"card": GPU}, lambda: datetime.now(UTC), changed)
        async with inventory.running():
            listed_s, listing_cpu_s = time.monotonic() - began, time.process_time() - cpu_s
            await asyncio.sleep(SETTLE_S)
            changes, cpu_s, began = 0, time.process_time(), time.monotonic()
            took_s = []
            while time.monotonic() - began < seconds:
                looked = time.monotonic()
                snapshot = await inventory.collect(datetime.now(UTC))
                took_s.append(time.monotonic() - looked)
                await asyncio.sleep(5.0)
            steady = (time.process_time() - cpu_s) / (time.monotonic() - began)
    return Followed(
        nodes=sum(len(each.reading.value or ()) for each in snapshot.inventory),
        listed_s=listed_s,
        listing_cpu_s=listing_cpu_s,
        rss_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB_OF_KIB,
        collect_ms=1000 * sorted(took_s)[len(took_s) // 2],
        steady_cpu_percent=100 * steady,
        changes=changes,
        calls={f"{verb} {status}": count for (verb, status), count in sorted(calls.answered.items())},
    )


if __name__ == "__main__":
    try:
        main()
    except httpx.HTTPError as error:
        sys.exit(f"the API server cannot be asked: {error}")
