"""The embedded fleet: a real Triton for each node and one real Envoy for all origins, made from a policy."""

import asyncio
import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collectors.snapshot import server_name
from controller.connections.connections import Connections
from controller.connections.gateway import GatewayConnection
from controller.connections.servers import NodeConnection, NodesConnection, ServerConnection, ServerKey
from controller.embedded.envoy import EnvoyProxy
from controller.embedded.envoy_bootstrap import Backend
from controller.embedded.models.catalogue import NETWORKS, PRECISIONS
from controller.embedded.models.repository import ServedVariant, build_networks, build_repository
from controller.embedded.ports import HOST, free_ports
from controller.embedded.reaper import Reaper
from controller.embedded.triton import Installation, TritonServer, TritonSettings, assemble
from policy.resolved import Policy, Pool

READY_WITHIN_S: Final = 90.0


class FleetMismatchError(Exception):
    """The policy names what the embedded fleet cannot stand for; the message says what."""


class EmbeddedFleet:
    """The running parts. `restart` and `kill` may be called while requests are served."""

    def __init__(
        self, servers: dict[ServerKey, TritonServer], envoy: EnvoyProxy, connections: Connections, reaper: Reaper
    ) -> None:
        self._servers = servers
        self._envoy = envoy
        self._reaper = reaper
        self.connections = connections

    def spawn(self, argv: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """Start another program that must not outlive the fleet, with this process's environment."""
        return self._reaper.spawn(argv, env=dict(os.environ), cwd=Path.cwd(), log=log)

    async def kill(self, pool: str, node: str = "") -> None:
        """End the server of a node, or all servers of a pool, as a crash would."""
        for server in self._of(pool, node):
            await asyncio.to_thread(server.kill)

    async def restart(self, pool: str, node: str = "") -> None:
        """Start the server of a node, or all servers of a pool, again on their ports, with nothing loaded."""
        for server in self._of(pool, node):
            await asyncio.to_thread(server.launch)
        for server in self._of(pool, node):
            await asyncio.to_thread(server.wait_ready, READY_WITHIN_S)

    def _of(self, pool: str, node: str) -> list[TritonServer]:
        return [server for key, server in self._servers.items() if key[0] == pool and node in {"", key[1]}]

    def origin_url(self, origin: str) -> str:
        """Where the clients of an origin call."""
        return self._envoy.origin_url(origin)

    def pids(self) -> dict[str, int]:
        """The process id of each part that was started."""
        found = {server_name(*key): server.pid for key, server in self._servers.items()} | {"envoy": self._envoy.pid}
        return {name: pid for name, pid in found.items() if pid is not None}


@contextmanager
def embedded_fleet(policy: Policy, environment: Path, work: Path, *, paced: bool) -> Iterator[EmbeddedFleet]:
    """Start the parts that the policy's nodes and origins ask for, and end them with the block.

    `environment` holds Triton; `work` is made anew. With `paced`, a model takes the time of its pool's device; without,
    as long as this machine needs. Raises FleetMismatchError, and EmbeddedError when a part does not start.
    """
    _check(policy)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    environment, work = environment.resolve(), work.resolve()
    with contextlib.closing(Reaper()) as reaper:
        yield _started(policy, environment, work, reaper, paced=paced)


def _started(policy: Policy, environment: Path, work: Path, reaper: Reaper, *, paced: bool) -> EmbeddedFleet:
    otlp, api = free_ports(2)
    installation = assemble(environment, work / "triton")
    build_networks(installation.packages, environment, environment / "networks")
    premises = Premises(policy, installation, environment / "networks", work, reaper, f"http://{HOST}:{otlp}", paced)
    servers = {key: server for pool in policy.pools for key, server in _servers(premises, pool)}
    origins = sorted({origin.site for service in policy.services for origin in service.origins})
    with ThreadPoolExecutor(len(servers)) as starting:
        list(starting.map(lambda server: server.start(deadline_s=READY_WITHIN_S), servers.values()))
    backends = [
        Backend(pool, server.endpoint.http, _offered(policy, pool), node) for (pool, node), server in servers.items()
    ]
    envoy = EnvoyProxy(origins, backends, work, reaper)
    envoy.start()
    connections = Connections(
        servers={pool.name: _connection(pool.name, servers) for pool in policy.pools if pool.nodes},
        gateways=(_gateway(envoy, origins, work),),
        otlp=f"{HOST}:{otlp}",
        api=f"{HOST}:{api}",
    )
    return EmbeddedFleet(servers, envoy, connections, reaper)


def _check(policy: Policy) -> None:
    known = {(network.model, precision) for network in NETWORKS for precision in PRECISIONS}
    wanted = {(model.name, variant.name) for model in policy.models for variant in model.variants}
    if unknown := sorted(wanted - known):
        names, has = (", ".join("/".join(item) for item in sorted(items)) for items in (unknown, known))
        raise FleetMismatchError(f"the embedded fleet has no network for {names}; it has {has}")


def _offered(policy: Policy, pool: str) -> tuple[str, ...]:
    """The Triton names of the variants that the pool's device has a profile for."""
    device = policy.pool(pool).device
    profiles = (profile for item in policy.devices if item.device == device for profile in item.variants)
    return tuple(sorted({f"{profile.model}--{profile.variant}" for profile in profiles}))


@dataclass(frozen=True, slots=True)
class Premises:
    """What every server of a fleet stands on. `otlp_url` is the base of the receiver's address."""

    policy: Policy
    installation: Installation
    networks: Path
    work: Path
    reaper: Reaper
    otlp_url: str
    paced: bool


def _servers(premises: Premises, pool: Pool) -> Iterator[tuple[ServerKey, TritonServer]]:
    """A server for each node; a pool's only one is called by the pool."""
    profiles = [profile for item in premises.policy.devices if item.device == pool.device for profile in item.variants]
    repository = premises.work / "models" / pool.name
    build_repository(
        repository,
        premises.networks,
        [ServedVariant(item.model, item.variant, item.service_us if premises.paced else ()) for item in profiles],
    )
    otlp_url = f"{premises.otlp_url}/otlp/{pool.name}/v1/traces"
    for node in pool.node_names() if pool.nodes > 1 else [""][: pool.nodes]:
        settings = TritonSettings(node or pool.name, repository, premises.work, otlp_url=otlp_url)
        yield (pool.name, node), TritonServer(premises.installation, settings, premises.reaper)


def _connection(pool: str, servers: Mapping[ServerKey, TritonServer]) -> ServerConnection | NodesConnection:
    nodes = {node: _node_connection(server) for (name, node), server in servers.items() if name == pool}
    if "" in nodes:
        return ServerConnection(**nodes[""].model_dump())
    return NodesConnection(nodes=nodes)


def _node_connection(server: TritonServer) -> NodeConnection:
    ports = server.endpoint
    return NodeConnection(http=f"{HOST}:{ports.http}", metrics=f"{HOST}:{ports.metrics}", grpc=f"{HOST}:{ports.grpc}")


def _gateway(envoy: EnvoyProxy, origins: list[str], work: Path) -> GatewayConnection:
    return GatewayConnection(
        admin=f"{HOST}:{envoy.admin_port}",
        routes=work / "routes",
        origins={origin: f"{HOST}:{envoy.listener_ports[origin]}" for origin in origins},
        emulate_links=True,
    )
