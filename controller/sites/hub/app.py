"""What sites may ask for, over HTTP: the calls of `controller.sites.calls`.

The site is always the peer's certificate. Each answer and each body is bounded, in size and in time.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from fastapi import FastAPI, Query, Request, Response
from starlette.requests import ClientDisconnect

from controller.api.problems import Problem, add_handlers
from controller.clocks import Clock
from controller.journal.errors import JournalError
from controller.sites.calls import MOST_WAIT_S, PLAN, REGISTER, RENEW, REPORT, Enrolment
from controller.sites.hub.authority import Authority
from controller.sites.hub.enrolling import Enrolling, bad_request, forbidden, unnamed
from controller.sites.hub.heard import SiteReports
from controller.sites.hub.peer import Peer, network_in, peer_in
from controller.sites.hub.plausible import MOST, flaw
from controller.sites.hub.publishing import SitePlans
from controller.sites.hub.registry import SiteRegistry
from controller.sites.report import MOST_BYTES_PER_S, MOST_PACKED_BYTES, Allowance, ReportError, unpacked

LOG: Final = logging.getLogger("gridwright.sites")
BODY_S: Final = 20.0
MOST_ENROLMENT_BYTES: Final = 32_768
Generation = Annotated[int, Query(ge=0, lt=MOST)]
MOST_AT_ONCE: Final = 4
"""Requests of one site: one for its plan, one with its report, and as many again that it gave up."""


@dataclass(frozen=True, slots=True)
class Hub:
    """What answers sites. Only `agents` may call in.

    `clock` tells the instant (UTC), `steady` one that serves for spans alone, and `shown` what the machine's clock
    shows, by which TLS judges certificates.
    """

    agents: Collection[str]
    authority: Authority
    registry: SiteRegistry
    plans: SitePlans
    reports: SiteReports
    clock: Clock
    steady: Clock
    shown: Clock


def site_calls(hub: Hub) -> FastAPI:
    """The application."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    enrolling = Enrolling(hub.authority, hub.registry, hub.clock, hub.shown)
    bounds = _Bounds()

    @app.post(REGISTER)
    async def register(request: Request) -> Response:
        body = await _body(request, MOST_ENROLMENT_BYTES)
        made = await enrolling.register(_enrolment(body), hub.agents, network_in(request))
        return Response(msgspec.json.encode(made), media_type="application/json")

    @app.post(RENEW)
    async def renew(request: Request) -> Response:
        peer = await _known(hub, request)
        made = await enrolling.renew(peer, _enrolment(await _body(request, MOST_ENROLMENT_BYTES)))
        return Response(msgspec.json.encode(made), media_type="application/json")

    @app.get(PLAN)
    async def plan(request: Request, after: Generation = 0, wait_s: float = 0.0) -> Response:
        peer = await _known(hub, request)
        with bounds.taking_part(peer.site):
            token = await hub.plans.given_out(peer.site, after, max(0.0, min(wait_s, MOST_WAIT_S)))
        if token is None:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        await _known(hub, request)  # it may have been revoked while it waited
        return Response(token, media_type="application/jose")

    @app.put(REPORT)
    async def report(request: Request) -> Response:
        peer = await _known(hub, request)
        with bounds.taking_part(peer.site):
            await _take(hub, request, peer, bounds)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @app.exception_handler(JournalError)
    async def unwritten(_: Request, error: JournalError) -> Response:
        LOG.error("sites cannot be answered: %s", error)
        title, detail = "The controller cannot read or write its database", "ask again: its log tells what is wrong"
        return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "no-database", title, detail).response()

    add_handlers(app)
    return app


class _Bounds:
    """How much one site may take of the controller."""

    def __init__(self) -> None:
        self._at_once: Counter[str] = Counter()
        self._allowances: dict[str, Allowance] = {}

    @contextmanager
    def taking_part(self, site: str) -> Iterator[None]:
        """Count a request of the site while the block runs. Raises Problem where there are too many."""
        if self._at_once[site] >= MOST_AT_ONCE:
            raise _too_much(f"a site may ask for {MOST_AT_ONCE} things at once: wait for the answers")
        self._at_once[site] += 1
        try:
            yield
        finally:
            self._at_once[site] -= 1

    def spend(self, site: str, size: int) -> None:
        """Count bytes of the site. Raises Problem where there are too many."""
        now_s = asyncio.get_running_loop().time()
        if not self._allowances.setdefault(site, Allowance(now_s)).spend(size, now_s):
            raise _too_much(
                f"a site may send {MOST_BYTES_PER_S} bytes in a second on average: tell less, or less often"
            )


async def _take(hub: Hub, request: Request, peer: Peer, bounds: _Bounds) -> None:
    """Take a report in. Raises Problem."""
    if request.headers.get("content-encoding") != "gzip":
        raise bad_request("send the report with content-encoding: gzip")
    data = await _body(request, MOST_PACKED_BYTES)
    bounds.spend(peer.site, len(data))
    try:
        told = await asyncio.to_thread(unpacked, data)
    except ReportError as error:
        raise bad_request(str(error)) from error
    if told.site != peer.site:
        raise forbidden(f"the report is of {told.site}, and the certificate of {peer.site}")
    wrong = await asyncio.to_thread(flaw, told)
    if wrong:
        raise bad_request(f"the report cannot be true: {wrong}")
    hub.reports.take(told, peer, hub.steady())


async def _known(hub: Hub, request: Request) -> Peer:
    """The site that asks. Raises Problem for one without a certificate that counts."""
    peer = peer_in(request)
    if peer is None:
        raise forbidden(f"present the certificate of a site: POST {REGISTER} with a token gives it")
    if peer.site not in hub.agents:
        raise forbidden(unnamed(peer.site))
    if not await asyncio.to_thread(hub.registry.counts, peer.site, peer.serial, hub.clock()):
        raise forbidden(f"the certificate of {peer.site} was revoked or has ended: register again with another token")
    return peer


async def _body(request: Request, most: int) -> bytes:
    """The request's body, of `most` bytes at most. Raises Problem."""
    parts, taken = [], 0
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                parts.append(part)
                taken += len(part)
                if taken > most:
                    raise Problem(
                        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                        "too-large",
                        "The request's body is too large",
                        f"send at most {most} bytes",
                        headers={"Connection": "close"},
                    )
    except (TimeoutError, ClientDisconnect) as error:
        detail, headers = f"send the whole body within {BODY_S:g} s", {"Connection": "close"}
        raise Problem(
            HTTPStatus.REQUEST_TIMEOUT, "too-slow", "The request's body did not come", detail, headers=headers
        ) from error
    return b"".join(parts)


def _enrolment(body: bytes) -> Enrolment:
    try:
        return msgspec.json.decode(body, type=Enrolment)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise bad_request(f"the body is no enrolment ({error})") from error


def _too_much(detail: str) -> Problem:
    headers = {"Retry-After": "5"}
    return Problem(HTTPStatus.TOO_MANY_REQUESTS, "too-much", "Too much was asked", detail, headers=headers)
