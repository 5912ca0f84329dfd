"""Where the real parts of a fleet are: servers, gateways by origin, and what the controller itself listens on.

A policy says what must hold and names no address; this document names the addresses and says nothing else.
"""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from collectors.snapshot import server_name
from controller.cluster.handover.settings import HandoverSettings
from controller.connections.addresses import Address, Document, is_loopback
from controller.connections.cluster import ClusterConnection
from controller.connections.database import DatabaseConnection
from controller.connections.gateway import GatewayConnection
from controller.connections.prometheus import PrometheusConnection
from controller.connections.servers import NodeConnection, NodesConnection, PoolConnection, ServerKey
from controller.connections.sites import AgentConnection, SitesConnection
from controller.journal.place import Place


class Connections(Document):
    """All of it. Only loopback addresses are taken unless `beyond_loopback` says that others are meant."""

    servers: dict[str, PoolConnection] = Field(default_factory=dict)
    cluster: ClusterConnection | None = None
    sites: SitesConnection | None = None
    handover: HandoverSettings | None = None
    gateways: tuple[GatewayConnection, ...] = ()
    prometheus: tuple[PrometheusConnection, ...] = ()
    agent: AgentConnection | None = None
    database: DatabaseConnection | None = None
    otlp: Address = "127.0.0.1:4318"
    otlp_grpc: Address | None = None
    api: Address = "127.0.0.1:8780"
    beyond_loopback: bool = False

    @model_validator(mode="after")
    def _servers_somewhere(self) -> Self:
        if not self.servers and self.cluster is None and self.sites is None:
            raise ValueError("name the servers, or a cluster or sites that have them")
        return self

    @model_validator(mode="after")
    def _servers_to_hand_over(self) -> Self:
        if self.handover and self.cluster is None:
            raise ValueError("handover takes what servers are like from cluster.servers: add it")
        return self

    @model_validator(mode="after")
    def _loopback(self) -> Self:
        if self.beyond_loopback:
            return self
        away = sorted({address for address in self.addresses() if not is_loopback(address)})
        if away:
            raise ValueError(
                f"{', '.join(away)} is not on this machine's loopback: use 127.0.0.1, or state beyondLoopback: true "
                "when the network in between is trusted"
            )
        return self

    @model_validator(mode="after")
    def _one_gateway_an_origin(self) -> Self:
        origins = [origin for gateway in self.gateways for origin in gateway.origins]
        twice = sorted({origin for origin in origins if origins.count(origin) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is named by two gateways: leave each origin to one")
        if self.gateways and self.cluster is not None and self.cluster.gateways:
            raise ValueError("routes go to the Gateways of the cluster or to Envoys of your own: keep one of the two")
        return self

    @model_validator(mode="after")
    def _no_gateway_of_an_agent(self) -> Self:
        agents = self.sites.agents if self.sites else ()
        origins = {origin for gateway in self.gateways for origin in gateway.origins}
        of_cluster = self.cluster.gateways if self.cluster else {}
        both = sorted(origins.union(of_cluster).intersection(agents))
        if both:
            raise ValueError(f"{', '.join(both)} has an agent, which sets its routes: name no gateway for it here")
        return self

    @model_validator(mode="after")
    def _one_source_a_pool(self) -> Self:
        pools = [pool for item in self.prometheus for pool in item.pools]
        unknown = sorted(set(pools) - set(self.servers))
        if unknown:
            raise ValueError(f"{', '.join(unknown)} has a Prometheus and no server: name it under servers too")
        twice = sorted({pool for pool in pools if pools.count(pool) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is read from two Prometheus: leave each pool to one")
        known = self.by_node().keys()
        other = sorted({server_name(*key) for item in self.prometheus for key in item.labels().keys() - known})
        if other:
            raise ValueError(
                f"{', '.join(other)} has labels in a Prometheus and no server: give a pool's labels as its servers are "
                "given, by node or as one"
            )
        return self

    @model_validator(mode="after")
    def _limits_of_each_pool(self) -> Self:
        if self.agent is None:
            return self
        differing = sorted(self.agent.limits.keys() ^ self.servers.keys())
        if differing:
            raise ValueError(f"{', '.join(differing)}: name each pool of an agent under servers and under its limits")
        return self

    def by_node(self) -> dict[ServerKey, NodeConnection]:
        """Every server, by pool and node; the node is empty for one that stands for a whole pool."""
        return {
            (pool, node): server
            for pool, item in self.servers.items()
            for node, server in (item.nodes.items() if isinstance(item, NodesConnection) else [("", item)])
        }

    def addresses(self) -> tuple[str, ...]:
        """Every address that the document names."""
        servers = [part for item in self.by_node().values() for part in (item.http, item.metrics, item.grpc)]
        gateways = [part for item in self.gateways for part in (item.admin, *item.origins.values())]
        asked = [item.address for item in self.prometheus]
        if self.database is not None and self.database.address is not None:
            asked.append(self.database.address)
        return (*servers, *gateways, *asked, *self.listened_at().values())

    def listened_at(self) -> dict[str, str]:
        """What the controller listens on, by the field that says so."""
        found = {"api": self.api, "otlp": self.otlp}
        found |= {"otlpGrpc": self.otlp_grpc} if self.otlp_grpc else {}
        return found | ({"sites.address": self.sites.address} if self.sites else {})


def journal_place(connections: Connections, file: Path) -> Place:
    """What has the journal: the database where one is named, else the file."""
    return connections.database.database() if connections.database else file
