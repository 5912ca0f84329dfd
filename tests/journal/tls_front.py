"""TLS in front of a PostgreSQL that was built without it: a client that asks for it gets it, then the server itself."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

REQUEST = bytes.fromhex("0000000804d2162f")
"""What a client that wants TLS begins with; `S` says that it gets it."""


@contextmanager
def tls_front(context: ssl.SSLContext, port: int) -> Iterator[int]:
    """The port at which TLS is spoken for the server at another port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_accepting, args=(listening, context, port), daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def _accepting(listening: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_served, args=(client, context, port), daemon=True).start()


def _served(client: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with client, suppress(OSError):
        assert client.recv(len(REQUEST), socket.MSG_WAITALL) == REQUEST
        client.sendall(b"S")
        with (
            context.wrap_socket(client, server_side=True) as secured,
            socket.create_connection(("127.0.0.1", port)) as server,
        ):
            secured.settimeout(0.01)
            server.settimeout(0.01)
            while _passed(secured, server) and _passed(server, secured):
                pass


def _passed(source: socket.socket, sink: socket.socket) -> bool:
    """Pass on what is there; False once the source has ended."""
    try:
        data = source.recv(65536)
    except TimeoutError:
        return True
    sink.sendall(data)
    return bool(data)
