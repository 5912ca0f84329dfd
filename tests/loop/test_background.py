"""Work beside a block ends with it, and a fault that ends it earlier is told."""

import asyncio

import pytest

from controller.background import in_background


async def test_work_ends_with_its_block() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with in_background(work()):
        await asyncio.sleep(0)
    assert ended.is_set()


async def test_a_fault_is_told_when_it_happens(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        raise ValueError("out of order")

    told: list[str] = []

    async def block() -> None:
        async with in_background(work()):
            await asyncio.sleep(0.01)
            told.extend(caplog.messages)

    with pytest.raises(ValueError, match="out of order"):
        await block()
    (message,) = told
    assert "ended by a fault" in message
