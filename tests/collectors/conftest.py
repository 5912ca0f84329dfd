"""Sources to read from: a well-behaved or hostile HTTP server on the loopback, and a client."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from loopback import Source, listening

from collectors.transport import ServersClient

DATA = Path(__file__).parent / "data"
START = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def start() -> datetime:
    return START


@pytest.fixture
def data() -> Path:
    return DATA


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with ServersClient() as client:
        yield client


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with listening() as source:
        yield source
