"""A connections document as a file, in YAML or JSON. `gridwright up` writes it for the fleet that it starts."""

from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from controller.connections.connections import Connections
from controller.connections.servers import EACH_NODE, WHOLE_POOL

MAX_BYTES: Final = 1024 * 1024
FILES: Final = ("bearer_token_file", "basic_auth_file", "password_file", "ca_file")
FILES_OF_SITES: Final = ("certificate", "key", "authority", "authority_key", "plan_key")
Reached = TypeVar("Reached", bound=BaseModel)


class ConnectionsError(Exception):
    """The document cannot be read or used. The message names what is wrong and the next step."""


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
