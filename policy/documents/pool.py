"""Pool: identical nodes of one site."""

from typing import Annotated, Literal

from pydantic import Field

from policy.documents.base import MemoryMib, Name, Positive, PricePerHour, Share, Spec
from policy.documents.selector import ServicesSpec

Bought = Literal["on-demand", "reserved", "spot", "owned"]


class PoolSpec(Spec):
    """How many nodes, with which device, its memory, the part of it that may be used, and what a node costs.

    The nodes stand in `racks` by turns; racks of one name at a site are one.
    """

    site: Name
    device: Name
    nodes: Positive
    memory: Annotated[MemoryMib, Field(ge=1)]
    share: Annotated[Share, Field(ge=1)] = 1000
    price: PricePerHour
    purchase: Bought = "on-demand"
    dedicated_to: ServicesSpec | None = None
    racks: list[Name] = Field(default_factory=list)
