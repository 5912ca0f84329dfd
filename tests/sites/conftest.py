"""What tests of calls to the port of sites start from."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from hubs import Called, hub_at


@pytest_asyncio.fixture
async def called(tmp_path: Path) -> AsyncIterator[Called]:
    """A port on a real socket that knows two sites."""
    async with hub_at(tmp_path, "edge-paris", "edge-lyon") as found:
        yield found
