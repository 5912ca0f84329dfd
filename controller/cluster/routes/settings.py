"""The Gateways of a cluster that requests come in by: which of them an origin has, and what it can do."""

import itertools
from typing import Annotated, Self

from pydantic import Field, model_validator

from controller.cluster.servers.settings import Name, Settings

Hostname = Annotated[str, Field(pattern=r"^(?:\*\.)?[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$", max_length=253)]


class Listener(Settings):
    """Where requests come in at a Gateway: a listener of it by name, else all of them, and what hosts they name."""

    section: Name | None = None
    hostnames: tuple[Hostname, ...] = ()

    def overlaps(self, other: "Listener") -> bool:
        """Whether a request may be meant by both: the same listener, and hosts that are not told apart."""
        apart = self.section and other.section and self.section != other.section
        hosts = itertools.product(self.hostnames, other.hostnames)
        are_any = not self.hostnames or not other.hostnames
        return not apart and (are_any or any(_meet(one, two) for one, two in hosts))


class GatewaySettings(Listener):
    """The Gateway of an origin.

    With `draws` callers send a draw with each request, and the Gateway matches headers by regular expressions. `grpc`
    is where calls by gRPC come in; without it there are routes for HTTP alone.
    """

    namespace: Name
    name: Name
    draws: bool = False
    grpc: Listener | None = None

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.grpc and self.overlaps(self.grpc):
            raise ValueError("a Gateway takes one kind of route a host: give grpc a section or hostnames of its own")
        return self

    def listeners(self) -> tuple[Listener, ...]:
        """All of them."""
        return (self, self.grpc) if self.grpc else (self,)

    def collides(self, other: "GatewaySettings") -> bool:
        """Whether requests of two origins cannot be told apart."""
        is_same = (self.namespace, self.name) == (other.namespace, other.name)
        return is_same and any(one.overlaps(two) for one in self.listeners() for two in other.listeners())


def _meet(one: str, other: str) -> bool:
    """Whether there is a host that both names are of; `*.` stands for any labels."""
    for wide, name in ((one, other), (other, one)):
        if wide.startswith("*.") and name.removeprefix("*").endswith(wide[1:]):
            return True
    return one == other
