"""Ports that nobody else has."""

import socket

from controller.embedded.ports import HOST, free_ports, is_taken


def test_no_port_is_given_twice() -> None:
    given = [port for _ in range(20) for port in free_ports(3)]
    assert len(set(given)) == len(given) == 60


def test_a_port_is_taken_while_a_server_listens_on_it() -> None:
    (port,) = free_ports(1)
    assert not is_taken(port)
    with socket.create_server((HOST, port)):
        assert is_taken(port)
