"""Asking the hub: always by a call of the site's own, over TLS 1.3, with the site's certificate once there is one.

HubError
└── HubRefusedError
"""

import asyncio
import ssl
from pathlib import Path
from typing import Any, Final

import httpx

from collectors.recording import RecordingError, decode, encode
from controller.sites.agent.identity import Identity
from controller.sites.agent.keeping import AgentError
from controller.sites.calls import PLAN, REGISTER, RENEW, REPORT, Credentials, Enrolment
from controller.sites.signed import MAX_CHARACTERS

ANSWER_S: Final = 10.0
"""So long an answer may take beyond the time that it was asked to wait."""
WAIT_S: Final = 30
MAX_DETAIL: Final = 500


class HubError(Exception):
    """The hub did not answer, or with nothing that can be read."""


class HubRefusedError(HubError):
    """The hub refuses what was asked, in its own words."""


class Hub:
    """The calls. `address` is host:port; the hub's certificate has to be for that host and by one of `ca_file`."""

    def __init__(self, address: str, ca_file: Path, identity: Identity | None = None) -> None:
        """Raises AgentError when a certificate cannot be used."""
        context = _context(ca_file, identity)
        self._client = httpx.AsyncClient(
            base_url=f"https://{address}", verify=context, trust_env=False, timeout=httpx.Timeout(ANSWER_S)
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def register(self, enrolment: Enrolment) -> Credentials:
        """The first certificate, for a token. Raises HubError."""
        return await self._enrol(REGISTER, enrolment)

    async def renew(self, enrolment: Enrolment) -> Credentials:
        """The next certificate, by the one that there is. Raises HubError."""
        return await self._enrol(RENEW, enrolment)

    async def plan(self, after: int) -> str | None:
        """A signed plan of a generation above `after`; None when there was none for `WAIT_S`. Raises HubError."""
        asked = {"after": after, "wait_s": WAIT_S}
        status, body = await self._ask("GET", PLAN, WAIT_S, MAX_CHARACTERS, params=asked)
        return None if status == httpx.codes.NO_CONTENT else body.decode("ascii", "replace")

    async def report(self, packed: bytes) -> None:
        """Tell what was packed. Raises HubError."""
        await self._ask("PUT", REPORT, 0, MAX_DETAIL, content=packed, headers={"content-encoding": "gzip"})

    async def _enrol(self, path: str, enrolment: Enrolment) -> Credentials:
        headers = {"content-type": "application/json"}
        _, body = await self._ask("POST", path, 0, MAX_CHARACTERS, content=encode(enrolment), headers=headers)
        try:
            return decode(body, Credentials)
        except RecordingError as error:
            raise HubError(f"{path} of the hub does not answer with credentials ({error})") from error

    async def _ask(self, method: str, path: str, wait_s: float, most: int, **how: Any) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(wait_s + ANSWER_S):
                timeout = httpx.Timeout(ANSWER_S, read=wait_s + ANSWER_S)
                async with self._client.stream(method, path, timeout=timeout, **how) as response:
                    body = await _body(response, most)
        except TimeoutError as error:
            raise HubError(f"the hub did not answer {path} within {wait_s + ANSWER_S:g} s") from error
        except (httpx.HTTPError, ssl.SSLError) as error:
            raise HubError(f"the hub cannot be asked for {path}: {error or type(error).__name__}") from error
        if response.is_success:
            return response.status_code, body
        told = body[:MAX_DETAIL].decode("utf-8", "replace")
        if response.is_client_error:
            raise HubRefusedError(f"the hub refuses {path} ({response.status_code}): {told}")
        raise HubError(f"the hub cannot answer {path} now ({response.status_code}): {told}")


async def _body(response: httpx.Response, most: int) -> bytes:
    """The answer, as far as it may be read. Raises HubError."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > most:
            raise HubError(f"the hub answers with more than {most} bytes")
    return bytes(body)


def _context(ca_file: Path, identity: Identity | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(ca_file))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if identity is not None:
            context.load_cert_chain(identity.file)
    except (OSError, ssl.SSLError) as error:
        raise AgentError(f"{ca_file}, or the site's certificate, cannot be used ({error}); see caFile") from error
    return context
