"""One real fleet for all tests of acting; each test begins with nothing loaded and nothing routed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from controller.acting.envoy import EnvoyActuator
from controller.acting.triton import TritonActuator, TritonLimits, servers_of
from controller.actions import SetRoutes, Unload
from controller.embedded.errors import PartMissingError
from controller.embedded.fleet import EmbeddedFleet, embedded_fleet
from controller.fleet import RouteSet
from tests.acting.world import ORIENT, ORIENT_LYON, READ, READ_LYON, world

ENVIRONMENT = Path(__file__).parents[2] / ".venv-triton"
NOWHERE = tuple(RouteSet("crops", origin, ()) for origin in ("edge-lyon", "edge-paris"))


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedFleet]:
    try:
        with embedded_fleet(world(), ENVIRONMENT, tmp_path_factory.mktemp("fleet") / "work", paced=True) as fleet:
            yield fleet
    except PartMissingError as error:
        pytest.skip(f"{error}")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture
async def triton(fleet: EmbeddedFleet, client: httpx.AsyncClient) -> TritonActuator:
    actuator = TritonActuator(
        client, servers_of(fleet.connections), TritonLimits(timedelta(seconds=30), timedelta(seconds=5))
    )
    gone = (Unload(placement) for placement in (ORIENT, ORIENT_LYON, READ, READ_LYON))
    await asyncio.gather(*(actuator.apply("before", action, world()) for action in gone))
    return actuator


@pytest.fixture
async def envoy(fleet: EmbeddedFleet, client: httpx.AsyncClient) -> EnvoyActuator:
    actuator = EnvoyActuator(client, fleet.connections.gateways)
    await actuator.apply("before", SetRoutes(NOWHERE), world())
    return actuator
