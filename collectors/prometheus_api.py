"""Queries to the HTTP API of Prometheus and of what speaks it too (Thanos, Mimir, VictoriaMetrics), within limits.

prometheus-api-client writes the queries and reads the answers. The session that it is given bounds an answer in time
and in bytes while it comes, which requests would not, and follows no redirects: they would carry the credentials away.
"""

import asyncio
import io
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from requests.auth import AuthBase
from urllib3 import Retry
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as ReadingTimeoutError

from collectors.fetch import Limits, SourceError, Trouble

CHUNK_BYTES: Final = 65_536
MAX_CREDENTIAL_BYTES: Final = 16_384
TOLD_CHARACTERS: Final = 200
# Thanos: an answer that lacks a store's part is an error, and replicas count once. Prometheus passes over both.
PARAMETERS: Final = {"dedup": "true", "partial_response": "false"}


@dataclass(frozen=True, slots=True)
class PrometheusEndpoint:
    """Where the API is, such as `https://thanos.example:9090`, and at most one file that says who asks.

    `bearer_token_file` holds a token, `basic_auth_file` `user:password`; both are read anew for each query, which
    lets them be replaced. `ca_file` holds the authorities that the endpoint's certificate is verified by, instead of
    those of the system.
    """

    url: str
    bearer_token_file: Path | None = None
    basic_auth_file: Path | None = None
    ca_file: Path | None = None


class RangeSeries(msgspec.Struct, frozen=True):
    """One series of a range vector: its labels, and its samples as the seconds of their instants and their values."""

    metric: dict[str, str]
    values: list[tuple[float, str]]


class PrometheusApi:
    """Asks one question at a time, in a thread, for the library waits where asyncio must not.

    The time in which a question must be answered begins when it is put, also while others are before it.
    """

    def __init__(self, endpoint: PrometheusEndpoint, limits: Limits) -> None:
        self.url = endpoint.url
        self._limits = limits
        self._session = _BoundedSession(limits)
        self._session.verify = str(endpoint.ca_file) if endpoint.ca_file else True
        seconds = limits.total.total_seconds()
        self._connect = PrometheusConnect(
            endpoint.url, retry=Retry(0), auth=_FileAuth(endpoint), session=self._session, timeout=seconds
        )
        self._thread = ThreadPoolExecutor(1, "prometheus")

    async def query(self, promql: str) -> list[RangeSeries]:
        """The series of a range vector.

        Raises:
            SourceError: AWAY, SLOW, LARGE, REFUSED with what Prometheus said, or GARBLED.
        """
        seconds = self._limits.total.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, promql)
        except TimeoutError as error:
            raise _slow(self.url, seconds) from error

    def _ask(self, promql: str) -> list[RangeSeries]:
        try:
            found = self._connect.custom_query(promql, params=PARAMETERS)
            return msgspec.convert(found, list[RangeSeries])
        except (requests.Timeout, ReadingTimeoutError) as error:
            raise _slow(self.url, self._limits.total.total_seconds()) from error
        except (requests.JSONDecodeError, ValueError, LookupError, TypeError, RecursionError) as error:
            hint = "check that the address is that of a Prometheus HTTP API"
            raise SourceError(Trouble.GARBLED, f"{self.url} is not the expected JSON: {error}", hint) from error
        except (requests.RequestException, HTTPError, PrometheusApiClientException, OSError) as error:
            hint = "check that the process runs, that the address is right, and its certificate"
            raise SourceError(Trouble.AWAY, f"{self.url} cannot be reached: {error}", hint) from error


def _slow(url: str, seconds: float) -> SourceError:
    hint = "see whether its host is overloaded, or give the collector more time"
    return SourceError(Trouble.SLOW, f"{url} did not answer in full within {seconds:g} s", hint)


class _FileAuth(AuthBase):
    def __init__(self, endpoint: PrometheusEndpoint) -> None:
        self._endpoint = endpoint

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._endpoint.bearer_token_file:
            request.headers["Authorization"] = f"Bearer {_secret(self._endpoint.bearer_token_file)}"
        elif self._endpoint.basic_auth_file:
            pair = b64encode(_secret(self._endpoint.basic_auth_file).encode()).decode()
            request.headers["Authorization"] = f"Basic {pair}"
        return request


def _secret(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.read(MAX_CREDENTIAL_BYTES).strip()
    except (OSError, UnicodeDecodeError) as error:
        hint = "give a file that this process may read"
        raise SourceError(Trouble.AWAY, f"the credentials in {file} cannot be read: {error}", hint) from error


class _BoundedSession(requests.Session):
    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.trust_env = False  # neither proxies nor credentials of the environment
        self.headers["Accept-Encoding"] = "identity"
        self._limits = limits

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """The answer, read to its end within the limits; SourceError for any other status than 200."""
        ends = time.monotonic() + self._limits.total.total_seconds()
        with super().send(request, **{**options, "stream": True, "allow_redirects": False}) as answer:
            body = self._read(answer, ends)
        if answer.status_code != requests.codes.ok:
            told = body[:TOLD_CHARACTERS].decode(errors="replace")
            hint = "check the address, and the credentials when it is 401 or 403"
            raise SourceError(Trouble.REFUSED, f"{request.url} answered with status {answer.status_code}: {told}", hint)
        whole = requests.Response()
        whole.status_code, whole.headers, whole.url = answer.status_code, answer.headers, answer.url
        whole.raw = io.BytesIO(body)
        return whole

    def _read(self, answer: requests.Response, ends: float) -> bytes:
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise SourceError(Trouble.GARBLED, f"{answer.url} answered compressed", "turn compression off there")
        body = bytearray()
        while chunk := answer.raw.read1(CHUNK_BYTES):
            body += chunk
            if len(body) > self._limits.max_bytes:
                hint = "keep fewer label sets of the servers there, or raise the collector's byte limit"
                message = f"{answer.url} answers with more than {self._limits.max_bytes} bytes"
                raise SourceError(Trouble.LARGE, message, hint)
            if time.monotonic() > ends:
                raise _slow(answer.url, self._limits.total.total_seconds())
        return bytes(body)
