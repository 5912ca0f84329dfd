"""Who counts as one caller, and whose turn it is to give way where room is short."""

import ipaddress
from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Final, TypeVar

_NETWORK_BYTES: Final = 8
"""Of an IPv6 address, as many bytes name the network: one machine has all of its addresses."""
Held = TypeVar("Held")


def giving_way(callers: Mapping[Held, Hashable]) -> Held:
    """The first of the caller that has most; `callers` are in the order in which they came.

    Who means it is through within moments, and one that holds many open takes the room of its own. Nobody is refused
    for a number alone, as all sites may be behind one load balancer.
    """
    ((fullest, _),) = Counter(callers.values()).most_common(1)
    return next(held for held, caller in callers.items() if caller == fullest)


def network_of(address: str) -> str:
    """What counts as one caller: an IPv4 address, or the /64 of an IPv6 one."""
    found = ipaddress.ip_address(address)
    return str(found) if found.version == 4 else found.packed[:_NETWORK_BYTES].hex()  # noqa: PLR2004 - IPv4
