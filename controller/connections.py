"""Where the real parts of a fleet are: servers by pool, gateways by origin, and what the controller itself listens on.

A policy says what must hold and names no address; this document names the addresses and says nothing else. It may be
YAML or JSON. `gridwright up` writes it for the fleet that it starts, `gridwright run` reads it.
"""

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Final, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

MAX_BYTES: Final = 1024 * 1024
HIGHEST_PORT: Final = 65_535


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


Address = Annotated[str, AfterValidator(_checked)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class ServerConnection(_Document):
    """A pool's Triton. Its traces come to the receiver at `/otlp/POOL/v1/traces`, so they need no address here."""

    http: Address
    metrics: Address
    grpc: Address


class GatewayConnection(_Document):
    """An Envoy: its admin address, the folder that holds a watched folder for each origin, and its listeners.

    `emulate_links` has it delay each request by the round trip of the link that the request would cross: for a fleet
    whose sites all stand on one machine.
    """

    admin: Address
    routes: Path
    origins: dict[str, Address] = Field(min_length=1)
    emulate_links: bool = False


class Connections(_Document):
    """All of it. Only loopback addresses are taken unless `beyond_loopback` says that others are meant."""

    servers: dict[str, ServerConnection] = Field(min_length=1)
    gateways: tuple[GatewayConnection, ...] = ()
    otlp: Address = "127.0.0.1:4318"
    api: Address = "127.0.0.1:8780"
    beyond_loopback: bool = False

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
        return self

    def addresses(self) -> tuple[str, ...]:
        """Every address that the document names."""
        servers = [part for item in self.servers.values() for part in (item.http, item.metrics, item.grpc) if part]
        gateways = [part for item in self.gateways for part in (item.admin, *item.origins.values())]
        return (*servers, *gateways, self.otlp, self.api)


def _is_loopback(address: str) -> bool:
    host, _ = split_address(address)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_connections(path: Path) -> Connections:
    """The document at `path`; a relative route folder is taken from the document's own folder.

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
        return _anchored(Connections.model_validate(_parsed(data)), path.parent)
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
    return connections.model_copy(update={"gateways": gateways})


def _told(error: ValidationError) -> str:
    parts = []
    for item in error.errors(include_url=False):
        where = ".".join(str(part) for part in item["loc"])
        parts.append(f"{where}: {item['msg']}" if where else item["msg"])
    return "; ".join(parts) + "; see docs/operations.md for the fields"
