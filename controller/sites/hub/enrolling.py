"""Letting sites in: a certificate for a token, and another one for a certificate."""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from controller.api.problems import Problem
from controller.clocks import Clock
from controller.sites.calls import Credentials, Enrolment
from controller.sites.hub.authority import Authority, Issued, KeysError
from controller.sites.hub.peer import Peer
from controller.sites.hub.registry import Certified, SiteRegistry

LOG: Final = logging.getLogger("gridwright.sites")
MOST_IN_A_MINUTE: Final = 660
"""Registrations and, apart from them, renewals, of all callers: each costs a look into the database, or a signature."""
SHARE: Final = 10
"""One caller may have asked for this part of what is left for all: for 60 alone, and for less where others ask.

So it takes fifty callers that ask for all they can to keep one out that has not asked yet.
"""
A_MINUTE: Final = timedelta(minutes=1)


class Enrolling:
    """Gives certificates out. What it refuses is raised as a Problem."""

    def __init__(self, authority: Authority, registry: SiteRegistry, clock: Clock, shown: Clock) -> None:
        """`shown` is what the machine's clock shows: where it was set back, a certificate is to hold by that, too."""
        self._authority = authority
        self._registry = registry
        self._clock = clock
        self._shown = shown
        self._registrations, self._renewals = Pace(), Pace()

    async def register(self, asked: Enrolment, agents: Collection[str], network: str) -> Credentials:
        """The certificate for a token, which is used up by it; asked for from a network."""
        now = self._clock()
        self._registrations.go(network, now)
        try:
            self._authority.check(asked.request)
        except KeysError as error:
            raise bad_request(str(error)) from error
        site = await asyncio.to_thread(self._registry.site_of, asked.token, now)
        if not site:
            raise _no_token()
        if site not in agents:
            raise forbidden(unnamed(site))
        made, certified = self._issued(site, asked.request, now)
        if not await asyncio.to_thread(self._registry.certify, certified, made.serial, now, asked.token):
            raise _no_token()
        LOG.info("site %s has registered", site)
        return made.credentials

    async def renew(self, peer: Peer, asked: Enrolment) -> Credentials:
        """Another certificate for the site of the present one, which holds on until it ends."""
        now = self._clock()
        self._renewals.go(peer.site, now)
        made, certified = self._issued(peer.site, asked.request, now)
        if not await asyncio.to_thread(self._registry.renew, certified, made.serial, now, peer.serial):
            raise forbidden(f"the certificate of {peer.site} was revoked: register again with another token")
        return made.credentials

    def _issued(self, site: str, request: str, now: datetime) -> tuple[Issued, Certified]:
        """A certificate, which counts once the registry has it."""
        try:
            made = self._authority.issued(site, request, min(now, self._shown()), now)
        except KeysError as error:
            raise bad_request(str(error)) from error
        return made, Certified(site, made.ends)


class Pace:
    """So many in each minute of all callers, and of each a share. Only those that were let through are remembered."""

    def __init__(self) -> None:
        self._begun: datetime | None = None
        self.counted: Counter[str] = Counter()

    def go(self, caller: str, now: datetime) -> None:
        """Count one. Raises Problem where there were too many."""
        if self._begun is None or now - self._begun >= A_MINUTE:
            self._begun, self.counted = now, Counter()
        if SHARE * self.counted[caller] >= MOST_IN_A_MINUTE - self.counted.total():
            headers = {"Retry-After": "60"}
            status, title = HTTPStatus.TOO_MANY_REQUESTS, "Too many certificates are asked for"
            raise Problem(status, "too-many", title, "ask again in a minute", headers=headers)
        self.counted[caller] += 1


def _no_token() -> Problem:
    LOG.warning("a token was offered that is none, was used before, or has ended")
    return forbidden("the token is none, was used before, or has ended: `gridwright site token` makes another")


def unnamed(site: str) -> str:
    """What to do about a site that no document names."""
    return f"{site} is not among `agents` under `sites` in the connections document: name it there"


def bad_request(detail: str) -> Problem:
    """What was sent is of no use."""
    return Problem(HTTPStatus.BAD_REQUEST, "invalid-request", "The request cannot be used", detail)


def forbidden(detail: str) -> Problem:
    """Whoever asks is not let in."""
    return Problem(HTTPStatus.FORBIDDEN, "not-let-in", "The site is not let in", detail)
