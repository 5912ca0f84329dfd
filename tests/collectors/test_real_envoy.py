"""The gateway's collector against a real Envoy with the fleet's own configuration."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import loopback
import pytest
from loopback import Source, listening
from sample_services import ocr, vad

from collectors.gateway import Gateways, GatewayTarget, arriving
from collectors.snapshot import Rate, Reading, Snapshot
from controller.embedded.envoy import EnvoyProxy
from controller.embedded.envoy_bootstrap import Backend
from controller.embedded.envoy_routes import RouteEntry, StageRoute
from controller.embedded.errors import PartMissingError
from controller.embedded.ports import free_ports
from controller.embedded.reaper import Reaper

pytestmark = pytest.mark.envoy

DETECT = RouteEntry("edge", "model-detect--fp32", 1)
DEAD = RouteEntry("gone", "model-vad--fp32", 1)


def routes(detect: tuple[RouteEntry, ...]) -> list[StageRoute]:
    return [
        StageRoute("paris", "ocr", "detect", detect),
        StageRoute("paris", "ocr", "read", (DETECT,)),
        StageRoute("lyon", "ocr", "detect", ()),
        StageRoute("paris", "vad", "vad", (DEAD,)),
    ]


@pytest.fixture
async def backend() -> AsyncIterator[Source]:
    async with listening() as source:
        source.answers[""] = loopback.body(b"{}")
        yield source


@pytest.fixture
def envoy(tmp_path: Path, backend: Source) -> Iterator[EnvoyProxy]:
    reaper = Reaper()
    port = int(backend.url.rpartition(":")[2])
    backends = [
        Backend("edge", port, (DETECT.triton_name,)),
        Backend("gone", free_ports(1)[0], (DEAD.triton_name,)),
    ]
    proxy = EnvoyProxy(["paris", "lyon"], backends, tmp_path, reaper)
    try:
        proxy.start()
        yield proxy
    except PartMissingError as missing:
        pytest.skip(str(missing))
    finally:
        proxy.stop(grace_s=1.0)
        reaper.close()


class Traffic:
    """Calls through the gateway, and the collector that counts them."""

    def __init__(self, client: httpx.AsyncClient, envoy: EnvoyProxy) -> None:
        self._client = client
        self._envoy = envoy
        self._collector = Gateways(
            client,
            [GatewayTarget(envoy.admin_url, ("paris", "lyon"))],
            lambda: arriving([ocr(), vad()]),
            timedelta(seconds=60),
        )

    async def calls(self, count: int, origin: str, path: str) -> set[int]:
        url = f"{self._envoy.origin_url(origin)}/{path}/v2/models/m/infer"
        return {(await self._client.post(url)).status_code for _ in range(count)}

    async def look(self) -> tuple[dict[tuple[str, str], Reading[Rate]], Snapshot]:
        snapshot = await self._collector.collect(datetime.now(UTC))
        return {(item.service, item.origin): item.reading for item in snapshot.offered}, snapshot

    async def counts(self) -> dict[tuple[str, str], int | None]:
        found, _ = await self.look()
        return {demand: reading.value.count if reading.value else None for demand, reading in found.items()}


@pytest.fixture
def traffic(client: httpx.AsyncClient, envoy: EnvoyProxy) -> Traffic:
    return Traffic(client, envoy)


async def test_every_request_that_arrives_counts_whatever_becomes_of_it(traffic: Traffic, envoy: EnvoyProxy) -> None:
    envoy.set_routes(routes((DETECT,)), {("paris", "edge"): 2000})
    assert set((await traffic.counts()).values()) == {None}
    assert await traffic.calls(7, "paris", "ocr/detect") == {200}
    assert await traffic.calls(5, "paris", "ocr/read") == {200}
    assert await traffic.calls(3, "lyon", "ocr/detect") == {503}  # no route
    assert await traffic.calls(4, "paris", "vad/vad") == {503}  # a dead server
    assert await traffic.counts() == {("ocr", "paris"): 7, ("ocr", "lyon"): 3, ("vad", "paris"): 4}


async def test_counting_goes_on_when_routes_change(traffic: Traffic, envoy: EnvoyProxy) -> None:
    envoy.set_routes(routes((DETECT,)), {})
    await traffic.counts()
    await traffic.calls(4, "paris", "ocr/detect")
    envoy.set_routes(routes((DETECT, DETECT)), {})
    await traffic.calls(3, "paris", "ocr/detect")
    envoy.set_routes(routes(()), {})
    await traffic.calls(2, "paris", "ocr/detect")
    assert (await traffic.counts())["ocr", "paris"] == 9


async def test_a_gateway_without_routes_is_missing_with_a_finding(traffic: Traffic) -> None:
    await traffic.look()
    found, snapshot = await traffic.look()
    assert {reading.value for reading in found.values()} == {None}
    assert {finding.id for finding in snapshot.findings} == {"GW0521"}


async def test_a_gateway_that_is_stopped_leaves_stale_rates(traffic: Traffic, envoy: EnvoyProxy) -> None:
    envoy.set_routes(routes((DETECT,)), {})
    await traffic.look()
    await traffic.calls(3, "paris", "ocr/detect")
    before, _ = await traffic.look()
    envoy.stop(grace_s=1.0)
    after, snapshot = await traffic.look()
    assert after == before
    assert {finding.id for finding in snapshot.findings} == {"GW0501"}
