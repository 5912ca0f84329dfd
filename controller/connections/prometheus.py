"""A Prometheus to read counters from."""

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Discriminator, Field, Tag, model_validator

from controller.connections.addresses import PORTS, Document, Url, is_loopback
from controller.connections.servers import EACH_NODE, WHOLE_POOL, ServerKey, form_of

LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
Labels = Annotated[dict[LabelName, str], Field(min_length=1)]


class NodesLabels(Document):
    """The labels of a pool's servers in a Prometheus, by the name of the node."""

    nodes: dict[str, Labels] = Field(min_length=1)


PoolLabels = Annotated[
    Annotated[Labels, Tag(WHOLE_POOL)] | Annotated[NodesLabels, Tag(EACH_NODE)], Discriminator(form_of)
]


class PrometheusConnection(Document):
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
        if given and self.url.startswith("http:") and not is_loopback(self.address):
            raise ValueError(f"{self.url} would get credentials in the clear: use https")
        return self
