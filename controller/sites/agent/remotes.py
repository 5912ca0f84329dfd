"""Whether other sites' servers take connections, at the addresses to which this site's gateways send requests."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import Final

import httpx
import msgspec

from collectors.fetch import Limits, SourceError, fetch
from collectors.triton_repository import decode

CONNECT_S: Final = 1.0
Address = tuple[str, int]


class SocketAddress(msgspec.Struct, frozen=True):
    """Where a host of a cluster is."""

    address: str = ""
    port_value: int = 0


class HostAddress(msgspec.Struct, frozen=True):
    """Its address, where it is one of a socket."""

    socket_address: SocketAddress = SocketAddress()


class Host(msgspec.Struct, frozen=True):
    """A host of a cluster."""

    address: HostAddress = HostAddress()


class Cluster(msgspec.Struct, frozen=True):
    """A cluster of an Envoy, which is called `POOL/MODEL--VARIANT` or `POOL/NODE/MODEL--VARIANT`."""

    name: str
    host_statuses: tuple[Host, ...] = ()


class Clusters(msgspec.Struct, frozen=True):
    """The answer of `/clusters?format=json`."""

    cluster_statuses: tuple[Cluster, ...] = ()


class Remotes:
    """Asks the gateways where pools are, and tries these addresses. `admins` are the gateways' admin addresses."""

    def __init__(self, client: httpx.AsyncClient, admins: Sequence[str]) -> None:
        self._client = client
        self._admins = tuple(admins)

    async def silent(self, pools: frozenset[str]) -> frozenset[str]:
        """Those of the pools that no server of takes a connection. A pool that no gateway knows is not among them."""
        if not pools:
            return frozenset()
        told = await asyncio.gather(*(self._clusters(admin) for admin in self._admins))
        by_pool: dict[str, set[Address]] = {}
        for cluster in (each for clusters in told for each in clusters):
            pool = cluster.name.partition("/")[0]
            if pool in pools:
                by_pool.setdefault(pool, set()).update(_addresses(cluster))
        named = {pool: addresses for pool, addresses in by_pool.items() if addresses}
        answers = await asyncio.gather(*(_any_answers(addresses) for addresses in named.values()))
        return frozenset(pool for pool, answered in zip(named, answers, strict=True) if not answered)

    async def _clusters(self, admin: str) -> tuple[Cluster, ...]:
        url = f"http://{admin}/clusters?format=json"
        try:
            body = await fetch(self._client, "GET", url, Limits())
            return decode(body, Clusters, url).cluster_statuses
        except SourceError:
            return ()  # that a gateway does not tell is seen by its routes


def _addresses(cluster: Cluster) -> set[Address]:
    found = (host.address.socket_address for host in cluster.host_statuses)
    return {(each.address, each.port_value) for each in found if each.address and each.port_value}


async def _any_answers(addresses: Iterable[Address]) -> bool:
    return any(await asyncio.gather(*map(_answers, sorted(addresses))))


async def _answers(address: Address) -> bool:
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(*address)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
