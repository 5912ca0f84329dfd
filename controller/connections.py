"""Where the real parts of a fleet are: servers, gateways by origin, and what the controller itself listens on.

A policy says what must hold and names no address; this document names the addresses and says nothing else. It may be
YAML or JSON. `gridwright up` writes it for the fleet that it starts, `gridwright run` reads it.
"""

import ipaddress
import itertools
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from collectors.snapshot import server_name
from controller.cluster.handover.settings import HandoverSettings
from controller.cluster.routes.settings import GatewaySettings
from controller.cluster.servers.settings import ServerSettings
from controller.journal.place import Database, Place

MAX_BYTES: Final = 1024 * 1024
HIGHEST_PORT: Final = 65_535
PORTS: Final = {"http": 80, "https": 443}
MOST_TRACE_RATE: Final = 1_000_000
WHOLE_POOL: Final = "<one server for the whole pool>"
EACH_NODE: Final = "<a server on each node>"
"""How the two forms of what a pool has are told apart; no field is called like that."""
FILES: Final = ("bearer_token_file", "basic_auth_file", "password_file", "ca_file")
FILES_OF_SITES: Final = ("certificate", "key", "authority", "authority_key", "plan_key")


class ConnectionsError(Exception):
    """The document cannot be read or used. The message names what is wrong and the next step."""


def split_address(address: str) -> tuple[str, int]:
    """`host:port` (an IPv6 host in brackets) as its two parts; ValueError when it is not of that shape."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) <= HIGHEST_PORT:
        raise ValueError(f"'{address}' is not an address: write host:port, such as 127.0.0.1:8000")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _checked(address: str) -> str:
    split_address(address)
    return address


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError(f"'{url}' is not an address: write https://host:port, credentials aside")
    return url.rstrip("/")


Url = Annotated[str, AfterValidator(_checked_url)]
LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
Labels = Annotated[dict[LabelName, str], Field(min_length=1)]
Address = Annotated[str, AfterValidator(_checked)]
Reached = TypeVar("Reached", bound=BaseModel)
ServerKey = tuple[str, str]
"""A pool and a node of it; the node is empty for the server of a whole pool."""


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


TraceRate = Annotated[int, Field(ge=1, le=MOST_TRACE_RATE)]


class NodeConnection(_Document):
    """The Triton of a node."""

    http: Address
    metrics: Address
    grpc: Address


class ServerConnection(NodeConnection):
    """The Triton that stands for all nodes of a pool.

    Traces of a pool come to the receiver at `/otlp/POOL/v1/traces`, so they need no address here. `trace_rate` is the
    rate that a server was started with: it traces one request in so many.
    """

    trace_rate: TraceRate = 1


class NodesConnection(_Document):
    """The Tritons of a pool that has one on each node, by the name of the node. All trace at the same rate."""

    nodes: dict[str, NodeConnection] = Field(min_length=1)
    trace_rate: TraceRate = 1


class NodesLabels(_Document):
    """The labels of a pool's servers in a Prometheus, by the name of the node."""

    nodes: dict[str, Labels] = Field(min_length=1)


def _form(value: Any) -> str:
    """Whether something is told of a whole pool or of each of its nodes."""
    nodes = value.get("nodes") if isinstance(value, dict) else getattr(value, "nodes", None)
    return WHOLE_POOL if nodes is None or isinstance(nodes, str) else EACH_NODE


PoolConnection = Annotated[
    Annotated[ServerConnection, Tag(WHOLE_POOL)] | Annotated[NodesConnection, Tag(EACH_NODE)], Discriminator(_form)
]
PoolLabels = Annotated[
    Annotated[Labels, Tag(WHOLE_POOL)] | Annotated[NodesLabels, Tag(EACH_NODE)], Discriminator(_form)
]


class PrometheusConnection(_Document):
    """A Prometheus, or what speaks its HTTP API, to read the counters of `pools` from instead of from their servers.

    Each pool, or each of its nodes, has the labels that select its server there and no other. Of the two files at most
    one is given; they and `ca_file` are relative to the document.
    """

    url: Url
    pools: dict[str, PoolLabels] = Field(min_length=1)
    bearer_token_file: Path | None = None
    basic_auth_file: Path | None = None
    ca_file: Path | None = None

    def labels(self) -> dict[ServerKey, dict[str, str]]:
        """The labels of every server, by pool and node."""
        return {
            (pool, node): labels
            for pool, item in self.pools.items()
            for node, labels in (item.nodes.items() if isinstance(item, NodesLabels) else [("", item)])
        }

    @property
    def address(self) -> str:
        """Its host and port."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port or PORTS[parts.scheme]}"

    @model_validator(mode="after")
    def _credentials(self) -> Self:
        given = [file for file in (self.bearer_token_file, self.basic_auth_file) if file]
        if len(given) > 1:
            raise ValueError("give bearerTokenFile or basicAuthFile, not both")
        if given and self.url.startswith("http:") and not _is_loopback(self.address):
            raise ValueError(f"{self.url} would get credentials in the clear: use https")
        return self


class GatewayConnection(_Document):
    """An Envoy: its admin address, the folder that holds a watched folder for each origin, and its listeners.

    `emulate_links` has it delay each request by the round trip of the link that the request would cross: for a fleet
    whose sites all stand on one machine.
    """

    admin: Address
    routes: Path
    origins: dict[str, Address] = Field(min_length=1)
    emulate_links: bool = False


class ClusterConnection(_Document):
    """A cluster of Kubernetes that has the nodes of every pool without a server here, and in which theirs are made.

    `context` is one of the kubeconfig; without it the current one, or the cluster of the pod that the controller is in.
    `servers` tells what its servers are like, `evidence` is the folder of evidence where no policy is in files.
    With `custom_resources` those of the cluster are part of the policy beside its files, and win or yield where both
    have a document.
    `gateways` are the Gateways of the Gateway API that requests come in by, by origin.
    """

    servers: ServerSettings
    gateways: dict[str, GatewaySettings] = Field(default_factory=dict)
    context: str = ""
    evidence: Path | None = None
    custom_resources: Literal["wins", "yields"] | None = None

    @model_validator(mode="after")
    def _apart(self) -> Self:
        for (one, first), (two, second) in itertools.combinations(self.gateways.items(), 2):
            if first.collides(second):
                raise ValueError(
                    f"requests from {one} and from {two} come in alike: give each a Gateway, a section or hostnames of "
                    "its own"
                )
        return self


class LimitsConnection(_Document):
    """What each server of a pool may be given by a plan: MiB of its device, and instances of all models together."""

    memory_mib: int = Field(ge=0)
    instances: int = Field(ge=0)


class AgentConnection(_Document):
    """What the agent of a site goes by: where its hub is, whom to believe that it is, and what each server may hold.

    `limits` are by pool. `ca_file` has the authority of the hub's certificate and is relative to the document.
    """

    hub: Address
    ca_file: Path
    limits: dict[str, LimitsConnection] = Field(min_length=1)


class DatabaseConnection(_Document):
    """A PostgreSQL that keeps the journal. `host` may be the folder of its socket; files are relative to the document.

    Without TLS it is on this machine.
    """

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=HIGHEST_PORT)] = 5432
    name: Annotated[str, Field(min_length=1)] = "gridwright"
    user: Annotated[str, Field(min_length=1)] = "gridwright"
    password_file: Path | None = None
    ca_file: Path | None = None
    sslmode: Literal["verify-full", "disable"] = "verify-full"

    @property
    def address(self) -> str | None:
        """Its host and port; None for a socket."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return None if self.host.startswith("/") else f"{host}:{self.port}"

    def database(self) -> Database:
        """What keeps the journal."""
        files = (self.password_file, self.ca_file)
        return Database(self.host, self.port, self.name, self.user, *files, is_tls=self.sslmode == "verify-full")

    @model_validator(mode="after")
    def _in_the_clear(self) -> Self:
        if self.sslmode == "disable" and self.address is not None and not _is_loopback(self.address):
            raise ValueError(f"{self.host} would get what is kept in the clear: use sslmode: verify-full")
        return self


class SitesConnection(_Document):
    """Where sites with agents call in, and which ones: the pools of `agents` have their servers there.

    `certificate` and `key` are those of `address`; `authority` and its key certify sites, `plan_key` signs their plans.
    All are files in PEM, relative to the document. A site that is silent for `silent_after_s` is cut off.
    """

    address: Address
    agents: tuple[str, ...] = Field(min_length=1)
    certificate: Path
    key: Path
    authority: Path
    authority_key: Path
    plan_key: Path
    silent_after_s: Annotated[int, Field(ge=10, le=3600)] = 30

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        twice = sorted({site for site in self.agents if self.agents.count(site) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is among agents twice: name each site once")
        return self


class Connections(_Document):
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
        away = sorted({address for address in self.addresses() if not _is_loopback(address)})
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


def _is_loopback(address: str) -> bool:
    host, _ = split_address(address)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def journal_place(connections: Connections, file: Path) -> Place:
    """What has the journal: the database where one is named, else the file."""
    return connections.database.database() if connections.database else file


def read_connections(path: Path, *, beyond_loopback: bool = False) -> Connections:
    """The document at `path`; relative paths are taken from the document's own folder.

    With `beyond_loopback` addresses beyond it are meant, whatever the document says of that.
    Raises ConnectionsError when it cannot be read, is no YAML or JSON, or does not fit.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConnectionsError(
            f"{path}: cannot be read ({error.strerror}); give the file that `gridwright up` wrote"
        ) from error
    if len(data) > MAX_BYTES:
        raise ConnectionsError(f"{path}: over {MAX_BYTES} bytes; give a connections document")
    try:
        given = _parsed(data)
        if beyond_loopback and isinstance(given, dict):
            given["beyondLoopback"] = True
        return _anchored(Connections.model_validate(given), path.parent)
    except ValidationError as error:
        raise ConnectionsError(f"{path}: {_told(error)}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConnectionsError(f"{path}: neither YAML nor JSON ({error}); see docs/operations.md") from error


def write_connections(connections: Connections, path: Path) -> None:
    """Write the document as JSON. Raises ConnectionsError."""
    try:
        path.write_text(connections.model_dump_json(indent=2, by_alias=True, exclude_none=True) + "\n")
    except OSError as error:
        raise ConnectionsError(f"{path}: cannot be written ({error.strerror}); give a folder that you own") from error


def _parsed(data: bytes) -> Any:
    text = data.decode()
    if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.CSafeLoader)):
        raise yaml.YAMLError("aliases are not taken here")
    return yaml.load(text, Loader=yaml.CSafeLoader)


def _anchored(connections: Connections, folder: Path) -> Connections:
    gateways = tuple(item.model_copy(update={"routes": folder / item.routes}) for item in connections.gateways)
    prometheus = tuple(_with_files(item, folder) for item in connections.prometheus)
    database = _with_files(connections.database, folder) if connections.database else None
    cluster = connections.cluster
    if cluster is not None and cluster.evidence is not None:
        cluster = cluster.model_copy(update={"evidence": folder / cluster.evidence})
    sites = connections.sites
    if sites is not None:
        sites = sites.model_copy(update={key: folder / getattr(sites, key) for key in FILES_OF_SITES})
    agent = _with_files(connections.agent, folder) if connections.agent else None
    found = {"gateways": gateways, "prometheus": prometheus, "database": database}
    return connections.model_copy(update={**found, "cluster": cluster, "sites": sites, "agent": agent})


def _with_files(item: Reached, folder: Path) -> Reached:
    return item.model_copy(update={key: folder / file for key in FILES if (file := getattr(item, key, None))})


def _told(error: ValidationError) -> str:
    parts = []
    for item in error.errors(include_url=False):
        where = ".".join(str(part) for part in item["loc"] if part not in {WHOLE_POOL, EACH_NODE})
        message = item["msg"].removeprefix("Value error, ")
        parts.append(f"{where}: {message}" if where else message)
    return "; ".join(parts) + "; see docs/operations.md for the fields"
