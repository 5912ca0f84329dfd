"""The Triton servers that a document names: one for a whole pool, or one on each of its nodes."""

from typing import Annotated, Any, Final

from pydantic import Discriminator, Field, Tag

from controller.connections.addresses import Address, Document

MOST_TRACE_RATE: Final = 1_000_000
WHOLE_POOL: Final = "<one server for the whole pool>"
EACH_NODE: Final = "<a server on each node>"
"""How the two forms of what a pool has are told apart; no field is called like that."""
ServerKey = tuple[str, str]
"""A pool and a node of it; the node is empty for the server of a whole pool."""
TraceRate = Annotated[int, Field(ge=1, le=MOST_TRACE_RATE)]


class NodeConnection(Document):
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


class NodesConnection(Document):
    """The Tritons of a pool that has one on each node, by the name of the node. All trace at the same rate."""

    nodes: dict[str, NodeConnection] = Field(min_length=1)
    trace_rate: TraceRate = 1


def form_of(value: Any) -> str:
    """Whether something is told of a whole pool or of each of its nodes."""
    nodes = value.get("nodes") if isinstance(value, dict) else getattr(value, "nodes", None)
    return WHOLE_POOL if nodes is None or isinstance(nodes, str) else EACH_NODE


PoolConnection = Annotated[
    Annotated[ServerConnection, Tag(WHOLE_POOL)] | Annotated[NodesConnection, Tag(EACH_NODE)], Discriminator(form_of)
]
