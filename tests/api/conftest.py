from collections.abc import Iterator

import httpx
import pytest
from serving import Loop, Stage, served


@pytest.fixture(scope="session")
def stage() -> Stage:
    return Stage()


@pytest.fixture(scope="session")
def client(stage: Stage) -> Iterator[httpx.Client]:
    with served(stage) as client:
        yield client


@pytest.fixture
def loop(stage: Stage) -> Loop:
    stage.loop = Loop()
    return stage.loop


@pytest.fixture(scope="session")
def settled_loop() -> Loop:
    loop = Loop()
    loop.turn()
    loop.turn()
    return loop
