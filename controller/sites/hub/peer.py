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
from controller.sites.hub.fairness import giving_way, network_of

REQUEST_S: Final = 10.0
"""How long a connection may stand before its first request has come, and about so long before each other one has."""
TAKEN_S: Final = 60
"""The same of a site, which by then must have taken the answer before: a plan may be large, and its line slow.

An answer is done here as soon as it waits to be sent, and nothing tells when the site has it.
"""
CONNECTIONS_A_SITE: Final = 8
STRANGERS: Final = 32
"""Connections beside those of sites: of agents that register, and of whoever tries."""
PEER: Final = "peer"
NETWORK: Final = "network"


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
    """HTTP that tells each request whose certificate it came with, and waits for each one only so long.

    One caller's connections take no room of another's: a site has so many, and those without a certificate together.
    Of more, the certificate gives way that has most of them, with its oldest; without any, the network.
    """

    peer: Peer | None
    """Whose certificate it came with, once the connection is made."""
    network: str
    """Where it came from; empty of a caller that was gone by then."""
    made_s: float
    """When, by the loop's clock."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note who calls; of one connection too many, one is closed."""
        tls = transport.get_extra_info("ssl_object")
        self.peer = peer = peer_of(tls.getpeercert() if tls else None)
        address = transport.get_extra_info("peername")
        self.network = network_of(str(address[0])) if address else ""
        super().connection_made(transport)
        self.made_s = self.loop.time()
        self.app_state = {**self.app_state, PEER: peer, NETWORK: self.network}
        self._answered: object = None
        self._patience_s = TAKEN_S if peer else REQUEST_S
        self.timeout_keep_alive = TAKEN_S if peer else self.timeout_keep_alive
        self._waited = self.loop.call_later(self._patience_s, self._give_up)
        standing = self._of_its_site()
        if len(standing) > (CONNECTIONS_A_SITE if peer else STRANGERS):
            callers = {each: each.peer or each.network for each in standing}
            gone = giving_way(callers)
            self.connections.discard(gone)
            gone.transport.abort()  # a close would wait for the caller to agree

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._waited.cancel()
        super().connection_lost(exc)

    def _of_its_site(self) -> list["PeerProtocol"]:
        """The connections of the same site, or of nobody's, this one among them, in the order in which they came.

        A certificate that was revoked learns so by its requests alone, and may make none: it is a caller of its own.
        """
        others = (each for each in self.connections if isinstance(each, PeerProtocol))
        same = (each for each in others if _site_of(each.peer) == _site_of(self.peer))
        return sorted(same, key=lambda each: each.made_s)

    def _give_up(self) -> None:
        """Close a connection over which no whole request came since it was looked at last."""
        cycle = getattr(self, "cycle", None)  # it has none before the first, whatever its type says
        if cycle is None or cycle is self._answered:
            self.transport.abort()
            return
        self._answered = cycle if cycle.response_complete else None
        self._waited = self.loop.call_later(self._patience_s, self._give_up)


def _site_of(peer: Peer | None) -> str:
    """The site; empty for nobody's."""
    return peer.site if peer else ""


def peer_of(certificate: dict[str, Any] | None) -> Peer | None:
    """The site of a certificate that was verified; None where there is none, or it is of no site."""
    names = [name for kind, name in (certificate or {}).get("subjectAltName", ()) if kind == "URI"]
    site = site_of(names[0]) if len(names) == 1 else ""
    return Peer(site, f"{int((certificate or {})['serialNumber'], 16):X}") if site else None


def peer_in(request: Request) -> Peer | None:
    """Whose certificate a request came with."""
    found = getattr(request.state, PEER, None)
    return found if isinstance(found, Peer) else None


def network_in(request: Request) -> str:
    """Where a request came from."""
    return str(getattr(request.state, NETWORK, ""))
