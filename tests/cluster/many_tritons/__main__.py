"""What stands behind the pods of servers that KWOK plays, and in front of them: one process for thousands.

    python -m tests.cluster.many_tritons KUBECONFIG DESCRIPTION [--ports HTTP GRPC METRICS]

Pods need addresses of the loopback network, which KWOK gives them by `--cidr=127.64.0.0/12`. All of these have the same
ports, and only this machine reaches them. Each server begins with nothing loaded, has the same repository, and holds
what it was told to load, as configured. It answers while its pod runs, and no longer.

The description is a file of JSON: `models` of the repository, what the first server of a node `begins` with, by node,
`gateways` by address, each with the file of `routes` that it follows and the `rates` of its arrivals, which rise and
fall by `swing`, and the `port` of their administration.
"""

import argparse
import asyncio
import contextlib
import json
import resource
import socket
from pathlib import Path
from typing import Any

from controller.cluster.servers.server import GRPC, HTTP, METRICS
from tests.cluster.many_tritons.gateway import Gateway
from tests.cluster.many_tritons.models import Traffic
from tests.cluster.many_tritons.over_grpc import serving
from tests.cluster.many_tritons.over_http import Administration, Endpoints
from tests.cluster.many_tritons.pods import Servers, following

WAITING = 4096


def main() -> None:
    """Serve until the process is ended."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("kubeconfig")
    asked.add_argument("description", type=Path)
    asked.add_argument("--ports", nargs=3, type=int, default=[HTTP, GRPC, METRICS])
    asked.add_argument("--load-s", type=float, default=0.2, help="how long a load takes")
    asked.add_argument("--rate", type=float, default=0.0, help="requests a second that each loaded model counts")
    asked.add_argument("--execution-us", type=int, default=10_000, help="how long each of them takes")
    given = asked.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    described = json.loads(given.description.read_text())
    traffic = Traffic(given.rate, given.execution_us)
    servers = Servers(tuple(described["models"]), traffic, described.get("begins"))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(servers, described, given))


async def _serve(servers: Servers, described: dict[str, Any], given: argparse.Namespace) -> None:
    http, grpc, metrics = [listener(port) for port in given.ports]
    gateways = {
        address: Gateway(Path(each["routes"]), each["rates"], described.get("swing", 0.0))
        for address, each in described.get("gateways", {}).items()
    }
    loop = asyncio.get_running_loop()
    for each in (http, metrics):
        await loop.create_server(lambda: Endpoints(servers), sock=each, backlog=WAITING)
    if gateways:
        await loop.create_server(lambda: Administration(gateways), sock=listener(described["port"]), backlog=WAITING)
    async with following(servers, given.kubeconfig), serving(servers, grpc, given.load_s):
        print("ready", flush=True)  # noqa: T201 -- for whoever started it
        await asyncio.Event().wait()


def listener(port: int) -> socket.socket:
    """A socket that takes connections to any address of this machine's loopback network, and from nowhere else."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
    opened.bind(("", port))
    opened.listen(WAITING)
    return opened


if __name__ == "__main__":
    main()
