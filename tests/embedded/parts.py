"""What the tests of real parts share: two sites with every network, and ways to ask them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from controller.embedded.envoy import EnvoyProxy
from controller.embedded.models.catalogue import NETWORKS, PRECISIONS, network
from controller.embedded.models.repository import ServedVariant
from controller.embedded.ports import HOST
from controller.embedded.tensors import decode, encode
from controller.embedded.triton import TritonServer

VARIANTS = tuple(ServedVariant(item.model, precision) for item in NETWORKS for precision in PRECISIONS)
NAMES = tuple(item.triton_name for item in VARIANTS)
PACE_US = 60_000
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"


@dataclass(frozen=True, slots=True)
class Sites:
    """Two real servers and the gateway of two origins before them."""

    north: TritonServer
    south: TritonServer
    gateway: EnvoyProxy


def server_url(server: TritonServer) -> str:
    return f"http://{HOST}:{server.endpoint.http}"


def load(server: TritonServer, name: str, changes: Mapping[str, Any] | None = None) -> None:
    """Load a model; with changes, over the configuration that it runs with."""
    url, body = server_url(server), {}
    if changes is not None:
        config = httpx.get(f"{url}/v2/models/{name}/config").raise_for_status().json() | changes
        body = {"parameters": {"config": json.dumps(config)}}
    httpx.post(f"{url}/v2/repository/models/{name}/load", json=body, timeout=60).raise_for_status()


def unload(server: TritonServer, name: str) -> None:
    httpx.post(f"{server_url(server)}/v2/repository/models/{name}/unload", json={}, timeout=60).raise_for_status()


def request(name: str, inputs: Mapping[str, NDArray[Any]]) -> tuple[bytes, dict[str, str]]:
    outputs = [item.name for item in network(name.partition("--")[0]).outputs]
    return encode(inputs, outputs)


def infer(server: TritonServer, name: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, list[Any]]:
    body, headers = request(name, inputs)
    url = f"{server_url(server)}/v2/models/{name}/infer"
    return decode(httpx.post(url, content=body, headers=headers, timeout=30).raise_for_status().content)


def crops() -> dict[str, NDArray[Any]]:
    return {"crop": np.zeros((48, 192, 3), dtype=np.uint8)}


def statistics(server: TritonServer, name: str) -> dict[str, Any]:
    answer = httpx.get(f"{server_url(server)}/v2/models/{name}/stats").raise_for_status().json()
    found: dict[str, Any] = answer["model_stats"][0]
    return found


def counter(gateway: EnvoyProxy, family: str, **labels: str) -> float:
    """The sum of the samples of a family whose labels contain these."""
    text = httpx.get(f"{gateway.admin_url}/stats/prometheus").raise_for_status().text
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    lines = [line for line in text.splitlines() if line.startswith(f"{family}{{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines if all(item in line for item in wanted))
