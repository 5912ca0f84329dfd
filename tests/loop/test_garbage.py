"""Circular garbage is looked for at an interval, and by Python itself again once nobody else does."""

import asyncio
import gc
import weakref

import pytest

from controller import garbage
from controller.background import in_background
from controller.garbage import seldom_collected


class Circle:
    """Refers to itself."""

    def __init__(self) -> None:
        self.itself = self


async def test_circles_go_at_the_interval_and_python_looks_by_itself_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(garbage, "EVERY_S", 0.05)
    async with in_background(seldom_collected()), asyncio.timeout(20):
        await asyncio.sleep(0)
        assert not gc.isenabled()
        for _ in range(3):  # before anything was kept for good, and after that
            gone = asyncio.Event()
            weakref.finalize(Circle(), gone.set)
            await gone.wait()
    assert gc.isenabled()
    assert not gc.get_freeze_count()
