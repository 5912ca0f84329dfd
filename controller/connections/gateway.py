"""An Envoy that a document names."""

from pathlib import Path

from pydantic import Field

from controller.connections.addresses import Address, Document


class GatewayConnection(Document):
    """An Envoy: its admin address, the folder that holds a watched folder for each origin, and its listeners.

    `emulate_links` has it delay each request by the round trip of the link that the request would cross: for a fleet
    whose sites all stand on one machine.
    """

    admin: Address
    routes: Path
    origins: dict[str, Address] = Field(min_length=1)
    emulate_links: bool = False
