"""Sites with agents: where they call in, and what an agent goes by."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from controller.connections.addresses import Address, Document


class LimitsConnection(Document):
    """What each server of a pool may be given by a plan: MiB of its device, and instances of all models together."""

    memory_mib: int = Field(ge=0)
    instances: int = Field(ge=0)


class AgentConnection(Document):
    """What the agent of a site goes by: where its hub is, whom to believe that it is, and what each server may hold.

    `limits` are by pool. `ca_file` has the authority of the hub's certificate and is relative to the document.
    """

    hub: Address
    ca_file: Path
    limits: dict[str, LimitsConnection] = Field(min_length=1)


class SitesConnection(Document):
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
