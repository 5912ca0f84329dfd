"""To which clusters plans are handed over: what the connections document says of it."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from controller.cluster.servers.settings import Name, ServerSettings


class Models(StrEnum):
    """Who has servers load models: the arguments that they are started with, or somebody at the site."""

    ARGUMENTS = "arguments"
    SITE = "site"


class HandoverSettings(BaseModel):
    """`clusters` has the name of each site's cluster, as its hub knows it. Several sites may share one.

    `servers` tells what the servers of single clusters are like, where they are not as everywhere else.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)

    clusters: Annotated[dict[str, Name], Field(min_length=1)]
    models: Models = Models.ARGUMENTS
    servers: dict[str, ServerSettings] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _of_clusters(self) -> Self:
        unknown = sorted(self.servers.keys() - set(self.clusters.values()))
        if unknown:
            raise ValueError(f"servers has {', '.join(unknown)}, which is the cluster of no site: name it in clusters")
        return self
