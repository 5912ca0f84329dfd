"""Free TCP ports on 127.0.0.1."""

import socket
from contextlib import ExitStack

HOST = "127.0.0.1"
_given: set[int] = set()


def free_ports(count: int) -> tuple[int, ...]:
    """`count` ports that were free a moment ago, none of which this process was given before.

    Another process can take one before it is used: whoever starts a server on them tries again with new ones.
    """
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            probe = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            probe.bind((HOST, 0))
            port = probe.getsockname()[1]
            if port not in _given:
                _given.add(port)
                found.append(port)
    return tuple(found)


def is_taken(port: int) -> bool:
    """Whether a server could not listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False
