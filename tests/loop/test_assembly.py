"""Under which names the API may be addressed, by where it listens."""

import socket

import pytest

from controller.host_names import host_names

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("127.0.0.1:8780", LOOPBACK),
        ("[::1]:8780", LOOPBACK),
        ("gridwright.example:8780", (*LOOPBACK, "gridwright.example")),
        ("10.1.2.3:8780", (*LOOPBACK, "10.1.2.3")),
    ],
)
def test_the_api_goes_by_loopback_and_the_name_it_listens_on(address: str, names: tuple[str, ...]) -> None:
    assert host_names(address) == names


@pytest.mark.parametrize("address", ["0.0.0.0:8780", "[::]:8780"])
def test_listening_everywhere_it_goes_by_the_names_of_the_machine(address: str) -> None:
    assert {socket.gethostname(), socket.getfqdn()} <= set(host_names(address))


def test_listening_everywhere_it_goes_by_the_addresses_of_the_machine() -> None:
    assert set(socket.gethostbyname_ex(socket.gethostname())[2]) <= set(host_names("0.0.0.0:8780"))
