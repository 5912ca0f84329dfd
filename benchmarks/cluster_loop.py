"""What the whole controller costs in a large cluster: `gridwright run` on a real control plane, with played nodes.

The policy is custom resources: sites in a ring, two pools each. Behind the pod of each server is a stand-in for Triton,
and one for the gateway of each site. One server stands on each node that the plan uses; the other pods are of others.
What is measured, in this order:

- filling: a controller that finds nothing has all servers made and loaded; with `--standing` the benchmark makes
  nodes, servers and their pods itself, on an API server alone, and the routes and the journal of a controller at rest;
- cold start: another process, from its start until the decision of its first turn is carried out;
- rest: processor time and requests while rates swing by a hundredth and nothing else happens; on average, and in the
  middle one of the slices that are as long as a turn's interval: in some of them it searches for a better plan;
- lost: a node is deleted, until the first route file is replaced, and until the API server notes the controller's first
  write of a server or its pod.

Models count no requests, so that nothing is learnt of their speed. Seconds of processor time are of the controller
alone. Prints a table and, as its last line, a JSON object.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import mean, median
from typing import Any

import yaml
from cluster_policy import DEVICES, FULL, ClusterPolicy, cluster_policy

sys.path.insert(0, str(Path(__file__).parents[1]))

from cluster_standing import AtRest, Followed, at_rest, held, journaled, resolved, routed, stand

from controller.cluster.names import SYSTEM
from controller.cluster.servers.settings import ServerSettings
from controller.connections.reading import read_connections
from controller.embedded.ports import HOST, free_ports
from policy.documents import API_VERSION, KINDS
from policy.schema.crd import plural
from policy.schema.files import DEFINITIONS
from tests.cluster.accounts import keep_following_parameters
from tests.cluster.api_server import ApiServer, Manifest
from tests.cluster.fleet import is_ready
from tests.cluster.role import as_controller, of_account
from tests.cluster.starting import AUDIT, BUILT, KUBECONFIG, api_server
from tests.cluster.whole import control_plane, played

ROOT = Path(__file__).parents[1]
ADDRESSES = "127.64.0.0/12"
GATEWAYS = "127.80.0.{}"
SETTINGS = ServerSettings.model_validate(
    {
        "image": "triton",
        "repository": {"url": "s3://models"},
        "devices": dict.fromkeys(DEVICES, "nvidia.com/gpu"),
    }
)
WAIT_S = 3.0
MIB_OF_KIB = 1024
TURN = re.compile(r"turn (\d+): (\w+) .*?(\d+) actions?, (\d+) failed, .*, ([\d.]+) s$")
WRITES = {"create", "update", "patch", "delete"}
STARTED_WITHIN_S = 900.0
MOST_FILLING_S = 3600.0
WRITTEN_WITHIN_S = 600.0
"""How long nodes, and a controller's first turn, are waited for; all servers; and what follows a lost node."""


class Controller:
    """A controller as a process, its output in a file."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.began = time.time()
        self.process = process
        self._log = log
        self._cpu_s = 0.0

    def cpu_s(self) -> float:
        """Its processor time; what was last seen of it once it has ended."""
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
            self._cpu_s = max(self._cpu_s, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
        return self._cpu_s

    def memory_mib(self, which: str = "VmRSS") -> float:
        """What it holds now, or by VmHWM held at most."""
        found = re.search(rf"{which}:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())
        return int(found[1]) / MIB_OF_KIB if found else 0.0

    def turns(self) -> list[tuple[int, str, int, int, float]]:
        """(number, verdict, actions, failed, seconds) of each turn."""
        lines = map(TURN.search, self._log.read_text().splitlines())
        return [(int(m[1]), m[2], int(m[3]), int(m[4]), float(m[5])) for m in lines if m]

    def has_ended(self) -> bool:
        """Whether it runs no more."""
        return self.process.poll() is not None

    def is_at_rest(self) -> bool:
        """Whether the last turn had nothing left to do."""
        return bool(self.turns()) and self.turns()[-1][1:4] == ("keep", 0, 0)

    def until(self, holds: Callable[[], bool], most_s: float) -> float:
        """Wait; the seconds that it took."""
        began = time.time()
        while not holds():
            self.cpu_s()
            if self.has_ended() or time.time() - began > most_s:
                raise SystemExit(
                    f"the controller did not get there; the end of its log:\n{self._log.read_text()[-3000:]}"
                )
            time.sleep(0.1)
        return time.time() - began


def main() -> None:
    """Fill a cluster, run the controller in it, and print what that took."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--nodes", type=int, default=2000)
    asked.add_argument("--pods", type=int, default=5000)
    asked.add_argument("--sites", type=int, default=20)
    asked.add_argument("--rest", type=float, default=300.0)
    asked.add_argument("--interval", type=int, default=10)
    asked.add_argument("--stale-after", type=int, default=240)
    asked.add_argument("--full", type=float, default=FULL, help="what is asked for, of what all nodes can do")
    asked.add_argument("--standing", action="store_true", help="play nothing: servers stand from the start")
    asked.add_argument("--keep", type=Path, help="a folder for the logs, which else are gone")
    given = asked.parse_args()
    fleet = cluster_policy(given.nodes, given.sites, given.interval, given.stale_after, given.full)
    with contextlib.ExitStack() as stack:
        work = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        work.mkdir(parents=True, exist_ok=True)
        plane = api_server(BUILT, work) if given.standing else control_plane(BUILT, work, ADDRESSES, many=True)
        server = stack.enter_context(plane)
        prepared(server, fleet, given)
        rested = made(server, work, fleet) if given.standing else None
        kubeconfig = account(server, work, is_waited_for=not given.standing)
        begins = held(rested.decision.fleet) if rested else {}
        stack.enter_context(standing_in(work, fleet, given.sites, begins))
        if rested:
            asyncio.run(routed(work / "connections.yaml", rested))
        found = {
            "nodes": given.nodes,
            "pods": given.pods,
            "sites": given.sites,
            **measured(server, work, kubeconfig, given),
        }
    for name, value in found.items():
        print(f"{name:>28} {value if not isinstance(value, float) else f'{value:.2f}'}")
    print(json.dumps(found))


def measured(server: ApiServer, work: Path, kubeconfig: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Each of the measurements."""
    filled_s, filling_cpu_s, starts = filled(work, kubeconfig)
    print(f"filled in {filled_s:.0f} s, {filling_cpu_s:.0f} s of CPU, by {starts} processes", flush=True)
    with running(work, kubeconfig, "running") as second:
        second.until(lambda: len(second.turns()) > 0, STARTED_WITHIN_S)
        cold_s, cold_cpu_s = time.time() - second.began, second.cpu_s()
        print(f"cold start {cold_s:.1f} s, {cold_cpu_s:.1f} s of CPU", flush=True)
        second.until(second.is_at_rest, MOST_FILLING_S)
        time.sleep(given.interval)
        began, turns = time.time(), len(second.turns())
        shares = list(slices(second, given.rest, given.interval))
        passed_s = time.time() - began
        asked = requests(work / AUDIT, began, began + passed_s)
        rested = second.turns()[turns:]
        rss_mib = second.memory_mib()
        servers = server.get("/apis/apps/v1/statefulsets")["items"]
        lost = servers[len(servers) // 2]["metadata"]["annotations"]["gridwright.dev/node"]
        cpu_s, deleted = second.cpu_s(), time.time()
        server.delete({"apiVersion": "v1", "kind": "Node", "metadata": {"name": lost}})
        second.until(lambda: first_route(work, deleted) is not None, WRITTEN_WITHIN_S)
        routed, lost_cpu_s = first_route(work, deleted) or deleted, second.cpu_s() - cpu_s
        second.until(lambda: first_write(work / AUDIT, deleted) is not None, WRITTEN_WITHIN_S)
        written = first_write(work / AUDIT, deleted) or deleted
        peak_mib = second.memory_mib("VmHWM")
    return {
        "servers": len(servers),
        "filled_s": filled_s,
        "filling_cpu_s": filling_cpu_s,
        "filling_starts": starts,
        "cold_start_s": cold_s,
        "cold_start_cpu_s": cold_cpu_s,
        "rest_cpu_percent": 100 * mean(shares),
        "rest_cpu_percent_median": 100 * median(shares),
        "rest_turns": len(rested),
        "rest_turn_s": max((each[4] for each in rested), default=0.0),
        "rest_actions": sum(each[2] for each in rested),
        "rest_rss_mib": rss_mib,
        "most_rss_mib": peak_mib,
        "lost_to_first_route_s": routed - deleted,
        "lost_to_first_route_cpu_s": lost_cpu_s,
        "lost_to_first_object_s": written - deleted,
        "requests_a_minute": {verb: round(60 * n / passed_s, 1) for verb, n in sorted(asked.items())},
    }


def slices(controller: Controller, seconds: float, each_s: float) -> Iterator[float]:
    """What it takes of a core in each slice of so many seconds. In few of them it searches for a better plan."""
    for _ in range(max(1, round(seconds / each_s))):
        began, cpu_s = time.time(), controller.cpu_s()
        time.sleep(each_s)
        yield (controller.cpu_s() - cpu_s) / (time.time() - began)


def filled(work: Path, kubeconfig: Path) -> tuple[float, float, int]:
    """Have all servers stand and hold what they should: the seconds, those of processor time, and the processes.

    On a machine that has too much to do a leader may not renew its lease in time. It ends then, and another one starts.
    """
    began, cpu_s, starts = time.time(), 0.0, 0
    while True:
        starts += 1
        with running(work, kubeconfig, f"filling-{starts}") as controller:
            controller.until(lambda: controller.has_ended() or controller.is_at_rest(), MOST_FILLING_S)
            cpu_s += controller.cpu_s()
            if controller.is_at_rest():
                return time.time() - began, cpu_s, starts


def prepared(server: ApiServer, fleet: ClusterPolicy, given: argparse.Namespace) -> None:
    """Have the cluster hold nodes, pods of others and the policy."""
    keep_following_parameters(server)
    for name in (SYSTEM, "others"):
        server.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for file in sorted(DEFINITIONS.glob("*.yaml")):
        server.create(yaml.safe_load(file.read_text()))
    pools = {name: n for each in fleet.documents if each["kind"] == "Pool" for name, n in [named(each)]}
    names = [(f"{pool}-{at}", pool) for pool, nodes in pools.items() for at in range(nodes)]
    if not given.standing:
        wait(lambda: server.is_served("/api/v1/namespaces/others/serviceaccounts/default"))
    began = time.monotonic()
    with ThreadPoolExecutor(8) as makers:
        list(makers.map(lambda each: server.create(node(*each, is_ready=given.standing)), names))
        list(makers.map(lambda at: server.create(pod(at, names[at % len(names)][0])), range(given.pods - given.nodes)))
    wait(lambda: sum(map(is_ready, server.get("/api/v1/nodes")["items"])) == len(names))
    print(f"{len(names)} nodes ready after {time.monotonic() - began:.0f} s", flush=True)
    wait(lambda: all(server.is_served(f"/apis/{API_VERSION}/{plural(kind)}") for kind in KINDS))
    for document in fleet.documents:
        server.create(document)


def account(server: ApiServer, work: Path, *, is_waited_for: bool) -> Path:
    """Have the cluster hold the controller's account, and what holds its writes to who leads; its kubeconfig."""
    if is_waited_for:
        wait(lambda: server.is_served(f"/api/v1/namespaces/{SYSTEM}/serviceaccounts/default"))
    for manifest in of_account():
        server.create(manifest)
    return as_controller(server, work)


def made(server: ApiServer, work: Path, fleet: ClusterPolicy) -> AtRest:
    """Have the servers stand that a controller would have come to, and its journal; what it would have decided last."""
    rested = at_rest(resolved(fleet, work), fleet.rates)
    began = time.monotonic()
    servers = stand(server, work / KUBECONFIG, rested.policy, rested.decision.fleet, SETTINGS)
    journaled(work / "journal.db", rested)
    Followed(server, servers)
    print(f"{servers} servers stand after {time.monotonic() - began:.0f} s", flush=True)
    return rested


def node(name: str, pool: str, *, is_ready: bool) -> Manifest:
    """A node of a pool, which KWOK makes ready, or which says that it is."""
    found = played(name, pool, **{"ephemeral-storage": "100Gi"})
    if is_ready:
        found["status"]["conditions"] = [{"type": "Ready", "status": "True", "reason": "Up", "message": "up"}]
    return found


def named(pool: Manifest) -> tuple[str, int]:
    """A pool's name and how many nodes it has."""
    return pool["metadata"]["name"], pool["spec"]["nodes"]


def pod(at: int, node: str) -> Manifest:
    """A pod of somebody else on a node."""
    container = {"name": "other", "image": "other", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}
    metadata = {"name": f"other-{at}", "namespace": "others"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"nodeName": node, "containers": [container]},
    }


def wait(holds: Callable[[], bool]) -> None:
    """Wait until a large cluster has come to hold something."""
    end = time.monotonic() + STARTED_WITHIN_S
    while not holds():
        if time.monotonic() > end:
            raise SystemExit("the cluster did not become ready")
        time.sleep(WAIT_S)


@contextmanager
def standing_in(work: Path, fleet: ClusterPolicy, sites: int, begins: dict[str, Any]) -> Iterator[None]:
    """The stand-ins of servers and gateways; writes the connections document, too."""
    names = [f"site-{at:02}" for at in range(sites)]
    admin, listening, otlp, api = free_ports(4)
    rates = {name: {key: rate for key, rate in fleet.rates.items() if key.startswith(f"{name}/")} for name in names}
    gateways = {
        GATEWAYS.format(at + 1): {"routes": str(work / "routes" / name / name / "routes.json"), "rates": rates[name]}
        for at, name in enumerate(names)
    }
    for name in names:
        (work / "routes" / name / name).mkdir(parents=True)
    described = {"models": fleet.models, "begins": begins, "gateways": gateways, "port": admin, "swing": 0.01}
    (work / "stand-ins.json").write_text(json.dumps(described))
    connections = {
        "otlp": f"{HOST}:{otlp}",
        "api": f"{HOST}:{api}",
        "cluster": {"servers": SETTINGS.model_dump(mode="json", by_alias=True, exclude_defaults=True)},
        "gateways": [
            {
                "admin": f"{GATEWAYS.format(at + 1)}:{admin}",
                "routes": f"routes/{name}",
                "origins": {name: f"{HOST}:{listening}"},
            }
            for at, name in enumerate(names)
        ],
    }
    (work / "connections.yaml").write_text(yaml.safe_dump(connections))
    read_connections(work / "connections.yaml")
    command = [
        sys.executable,
        "-m",
        "tests.cluster.many_tritons",
        str(work / "kubeconfig"),
        str(work / "stand-ins.json"),
    ]
    with (work / "stand-ins.log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        wait(lambda: process.poll() is not None or "ready" in (work / "stand-ins.log").read_text())
        if process.poll() is not None:
            raise SystemExit((work / "stand-ins.log").read_text())
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def running(work: Path, kubeconfig: Path, name: str) -> Iterator[Controller]:
    """`gridwright run` on the cluster's custom resources until the block ends; journals are shared."""
    command = [str(Path(sys.executable).with_name("gridwright")), "run", "kubernetes:controller"]
    more = ["--connections", str(work / "connections.yaml"), "--journal", str(work / "journal.db")]
    log = work / f"{name}.log"
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with log.open("w") as out:
        process = subprocess.Popen([*command, *more], cwd=work, env=environment, stdout=out, stderr=out)
    try:
        yield Controller(process, log)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(180)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def noted(audit: Path, since: float) -> Iterator[tuple[float, str, str]]:
    """(instant, verb, resource) of each request of the controller that the API server noted."""
    with audit.open() as lines:
        for line in lines:
            each = json.loads(line)
            at = datetime.fromisoformat(each["requestReceivedTimestamp"]).timestamp()
            if at >= since:
                yield at, each["verb"], each.get("objectRef", {}).get("resource", "")


def requests(audit: Path, since: float, until: float) -> Counter[str]:
    """How often it asked, by verb and resource."""
    return Counter(f"{verb} {resource}" for at, verb, resource in noted(audit, since) if at <= until)


def first_route(work: Path, since: float) -> float | None:
    """When a gateway was first told other routes."""
    changed = (file.stat().st_mtime for file in (work / "routes").glob("*/*/routes.json"))
    return min((at for at in changed if at > since), default=None)


def first_write(audit: Path, since: float) -> float | None:
    """When it first wrote a server; leases and statuses are none."""
    kinds = {"statefulsets", "pods"}
    return next((at for at, verb, what in noted(audit, since) if verb in WRITES and what in kinds), None)


if __name__ == "__main__":
    main()
