"""How the Triton servers of a fleet are made in a cluster: what differs between clusters, and no policy says."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

Quantity = Annotated[str, Field(pattern=r"^[1-9][0-9]*(?:m|k|M|G|T|Ki|Mi|Gi|Ti)?$")]
ResourceName = Annotated[str, Field(pattern=r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$", max_length=253)]


class Settings(BaseModel):
    """Settings, as the connections document writes them."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Repository(Settings):
    """Where the models are: a claim of that name in each pool's namespace, or an address that Triton itself reads.

    `secret` names a Secret in each pool's namespace whose keys are the environment variables that the address needs.
    """

    claim: Name | None = None
    url: Annotated[str, Field(pattern=r"^(?:s3|gs|as)://\S+$")] | None = None
    secret: Name | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.claim is None) == (self.url is None):
            raise ValueError("give claim or url")
        if self.secret and not self.url:
            raise ValueError("a secret goes with a url: a claim needs none")
        return self


class Traces(Settings):
    """Where servers send their traces: the receiver's address without its path, and one request in `rate`."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+$")]
    rate: Annotated[int, Field(ge=1)] = 1


class Resources(Settings):
    """What a server asks of its node beside the device; it gets no more memory than that."""

    cpu: Quantity = "2"
    memory: Quantity = "8Gi"
    shared_memory: Quantity = "1Gi"
    scratch: Quantity = "4Gi"


class ServerSettings(Settings):
    """All of it. `devices` has the resource of each device that pools have, none for a CPU.

    A server that is to go is out of the routes for `drain_s` before it is told to end, and then has `exit_s` to finish
    its requests. One that is not ready `start_s` after it was made is told to be late. `unavailable` servers of a pool
    may be evicted at once.
    """

    image: Annotated[str, Field(min_length=1, pattern=r"^\S+$")]
    repository: Repository
    devices: dict[str, ResourceName | None]
    resources: Resources = Resources()
    pools: dict[str, Resources] = Field(default_factory=dict)
    traces: Traces | None = None
    drain_s: Annotated[int, Field(ge=1, le=300)] = 10
    exit_s: Annotated[int, Field(ge=1, le=600)] = 30
    start_s: Annotated[int, Field(ge=1, le=3600)] = 600
    unavailable: Annotated[int, Field(ge=1)] = 1
    user: Annotated[int, Field(ge=1)] = 1000

    def resources_of(self, pool: str) -> Resources:
        """What servers of a pool ask for."""
        return self.pools.get(pool, self.resources)
