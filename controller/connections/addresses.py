"""Addresses as a connections document has them, and what all of its parts have in common."""

import ipaddress
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

HIGHEST_PORT: Final = 65_535
PORTS: Final = {"http": 80, "https": 443}


class Document(BaseModel):
    """A part of the document: frozen, in camel case, with no field that is not told of."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


def split_address(address: str) -> tuple[str, int]:
    """`host:port` (an IPv6 host in brackets) as its two parts; ValueError when it is not of that shape."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) <= HIGHEST_PORT:
        raise ValueError(f"'{address}' is not an address: write host:port, such as 127.0.0.1:8000")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _checked(address: str) -> str:
    split_address(address)
    return address


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError(f"'{url}' is not an address: write https://host:port, credentials aside")
    return url.rstrip("/")


Url = Annotated[str, AfterValidator(_checked_url)]
Address = Annotated[str, AfterValidator(_checked)]


def is_loopback(address: str) -> bool:
    """Whether an address is on this machine alone."""
    host, _ = split_address(address)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
