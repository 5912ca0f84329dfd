"""A cluster of Kubernetes that has nodes, and the Gateways in it."""

import itertools
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from controller.cluster.routes.settings import GatewaySettings
from controller.cluster.servers.settings import ServerSettings
from controller.connections.addresses import Document


class ClusterConnection(Document):
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
