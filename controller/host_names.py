"""What a request may call the controller."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Final

from controller.api.app import LOOPBACK
from controller.connections.addresses import split_address

ANY: Final = ("0.0.0.0", "::")  # noqa: S104 -- told apart from other addresses, not listened on


def host_names(address: str) -> tuple[str, ...]:
    """The names that a request to an address may use: loopback's, its own and, where it is any, this machine's."""
    host, _ = split_address(address)
    return tuple(dict.fromkeys((*LOOPBACK, host, *(_machine() if host in ANY else ()))))


def _machine() -> Iterator[str]:
    """What this machine is called, and the addresses that it knows of itself: what scrapes a pod knows nothing else."""
    yield from (socket.gethostname(), socket.getfqdn())
    with contextlib.suppress(OSError):
        yield from (str(address[0]) for *_, address in socket.getaddrinfo(socket.gethostname(), None))
