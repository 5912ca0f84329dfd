"""TLS 1.3 with certificates on both sides, and whose certificate a request came with.

uvicorn tells an application nothing of the peer's certificate. Its protocol has a state that it copies into each
request, so what the handshake has told is put there once a connection is made.
"""

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

from controller.sites.calls import site_of
from controller.sites.hub.authority import KeysError, check_secret

FIRST_REQUEST_S: Final = 10.0
"""How long a connection may stand before its first request has come."""
PEER: Final = "peer"


@dataclass(frozen=True, slots=True)
class Peer:
    """A site by its certificate, which has this serial number in hex."""

    site: str
    serial: str


def context_of(certificate: Path, key: Path, authority: Path) -> ssl.SSLContext:
    """What serves with a certificate of its own, and takes those of sites that the authority has certified.

    One without any is let in, for it may register. Raises KeysError.
    """
    check_secret(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_OPTIONAL
    try:
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(authority)
    except (OSError, ssl.SSLError) as error:
        raise KeysError(f"{certificate}, {key} and {authority} cannot be served with ({error})") from error
    return context


class PeerProtocol(H11Protocol):
    """HTTP that tells each request whose certificate it came with, and waits for the first one only so long."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note who calls."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        self.app_state = {**self.app_state, PEER: peer_of(tls.getpeercert() if tls else None)}
        self._waited = self.loop.call_later(FIRST_REQUEST_S, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._waited.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        if getattr(self, "cycle", None) is None:  # it has none before, whatever its type says
            self.transport.close()


def peer_of(certificate: dict[str, Any] | None) -> Peer | None:
    """The site of a certificate that was verified; None where there is none, or it is of no site."""
    names = [name for kind, name in (certificate or {}).get("subjectAltName", ()) if kind == "URI"]
    site = site_of(names[0]) if len(names) == 1 else ""
    return Peer(site, f"{int((certificate or {})['serialNumber'], 16):X}") if site else None


def peer_in(request: Request) -> Peer | None:
    """Whose certificate a request came with."""
    found = getattr(request.state, PEER, None)
    return found if isinstance(found, Peer) else None
