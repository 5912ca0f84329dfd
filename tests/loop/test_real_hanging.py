"""A real Triton on which a load hangs, and evidence that is taken back meanwhile."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from controller.acting.waiting import until
from controller.embedded.fleet import EmbeddedFleet
from controller.places import Places
from tests.loop.real import at_work, followed, settled

pytestmark = [pytest.mark.triton, pytest.mark.envoy]
PROTECTED, OTHER, MODEL = "receipt-ocr", "call-vad", "silero-vad--fp32"
WITHIN_S = 25
"""Until requests have left: far less than a load that hangs is waited for."""


async def pools_of(places: Places, service: str) -> set[str]:
    """Where the requests of a service go, as the gateway says."""
    ways = (way for item in await followed(places.connections) if item.service == service for way in item.ways)
    return {placement.pool for way in ways for placement in way.placements}


def folder_of(fleet: EmbeddedFleet, pool: str, model: str) -> Path:
    """Where a server reads a model from."""
    arguments = Path(f"/proc/{fleet.pids()[pool]}/cmdline").read_text().split("\0")
    repository = next(each for each in arguments if each.startswith("--model-repository="))
    return Path(repository.partition("=")[2]) / model


@contextmanager
def hanging_at_load(model: Path) -> Iterator[None]:
    """While the block lasts, what is loaded from there takes two minutes."""
    (code,) = model.glob("*/model.py")
    before = code.read_text()
    code.write_text(f"import time\ntime.sleep(120)\n{before}")
    try:
        yield
    finally:
        code.write_text(before)


@pytest.mark.timeout(240)
async def test_requests_leave_what_lost_its_certification_while_a_load_hangs(
    places: Places, fleet: EmbeddedFleet
) -> None:
    async with at_work(places) as controller:
        await controller.until(settled)
        (pool,) = await pools_of(places, PROTECTED)
        (other,) = await pools_of(places, OTHER)
        assert pool != other
        try:
            with hanging_at_load(folder_of(fleet, other, MODEL)):
                server = places.connections.by_node()[other, ""]
                async with httpx.AsyncClient(trust_env=False) as client:
                    await client.post(f"http://{server.http}/v2/repository/models/{MODEL}/unload")
                await asyncio.sleep(5)
                turns = controller.status.turns
                await asyncio.sleep(4)
                assert controller.status.turns == turns, "a load hangs, and its turn with it"
                (places.policy / "evidence" / f"{pool}-pci-dss.yaml").unlink()

                async def has_left() -> bool:
                    return pool not in await pools_of(places, PROTECTED)

                async with asyncio.timeout(WITHIN_S):
                    await until(has_left)
        finally:
            await fleet.kill(other)
            await fleet.restart(other)
