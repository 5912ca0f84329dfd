"""Servers whose turn it is not: what was read of them stays with its instant, and what is silent is asked each time."""

from datetime import datetime, timedelta

import httpx
import pytest
from loopback import Source, body

from collectors import rotation
from collectors.fetch import Limits
from collectors.rotation import Asked, Rotation
from collectors.triton_repository import RepositoryTarget, TritonRepository

NODES = ("one", "two")
STEP = timedelta(seconds=10)
INDEX, AWAY = body(b"[]"), body(b"", status=503)


@pytest.fixture
def repository(client: httpx.AsyncClient, source: Source, monkeypatch: pytest.MonkeyPatch) -> TritonRepository:
    """Of two servers, which are more than are asked each turn."""
    monkeypatch.setattr(rotation, "EACH_TURN", 1)
    targets = [RepositoryTarget("edge", f"{source.url}/{node}", node) for node in NODES]
    turns = Rotation(lambda: [target.asked for target in targets], lambda: 10, lambda: 120)
    return TritonRepository(client, targets, Limits(timedelta(seconds=1)), turns)


async def test_a_reading_stays_with_its_instant_until_it_is_its_turn(
    repository: TritonRepository, source: Source, start: datetime
) -> None:
    source.answers = {"": INDEX}
    first = await repository.collect(start)
    assert {each.reading.at for each in first.servers} == {start}
    source.requests.clear()
    between = await repository.collect(start + STEP)
    assert source.requests == []
    assert between.servers == first.servers
    later = await repository.collect(start + 6 * STEP)
    assert {each.node: each.reading.at for each in later.servers}["one"] == start + 6 * STEP


async def test_a_silent_server_is_asked_each_time(
    repository: TritonRepository, source: Source, start: datetime
) -> None:
    source.answers = {"/one/v2/repository/index": INDEX, "": AWAY}
    await repository.collect(start)
    source.answers = {"": INDEX}
    back = await repository.collect(start + STEP)
    assert {each.node: each.reading.at for each in back.servers} == {"one": start, "two": start + STEP}


def test_a_target_is_one_process() -> None:
    before, after = (RepositoryTarget("edge", "http://127.0.0.1:8000", "one", process) for process in ("1", "2"))
    assert before.asked == Asked("edge", "one", "1") != after.asked
