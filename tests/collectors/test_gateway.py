from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx
import loopback
import pytest
from loopback import Source
from sample_services import ocr, stage, vad
from sample_services import service as a_service

from collectors.gateway import FAMILY, LABEL, Gateways, GatewayTarget, arrivals_stat, arriving, first_stage, rate
from collectors.rates import CounterWindow
from collectors.snapshot import Rate, Reading
from policy.resolved import Service

STEP = timedelta(seconds=5)


class Gateway:
    """A collector whose gateway shows the given counters at each look, or is away for None."""

    def __init__(self, client: httpx.AsyncClient, source: Source, now: datetime, services: list[Service]) -> None:
        self._source = source
        self._now = now
        self._collector = Gateways(client, [GatewayTarget(source.url, ("paris", "lyon"))], lambda: arriving(services))

    async def looks(self, *texts: Mapping[str, object] | None) -> dict[tuple[str, str], Reading[Rate]]:
        for counters in texts:
            lines = [f'{FAMILY}{{{LABEL}="{stat}"}} {count}' for stat, count in (counters or {}).items()]
            text = "envoy_server_live{} 1\n" + "\n".join(lines)
            self._source.answers[""] = loopback.body(b"", 503) if counters is None else loopback.body(text.encode())
            self.snapshot = await self._collector.collect(self._now)
            self._now += STEP
        return {(item.service, item.origin): item.reading for item in self.snapshot.offered}


@pytest.fixture
def gateway(client: httpx.AsyncClient, source: Source, start: datetime) -> Gateway:
    return Gateway(client, source, start, [ocr(), vad()])


def counters(paris_ocr: object, lyon_ocr: object, paris_vad: object) -> dict[str, object]:
    return {"paris/ocr/detect": paris_ocr, "lyon/ocr/detect": lyon_ocr, "paris/vad/vad": paris_vad}


async def test_what_arrived_is_counted_by_service_and_origin(gateway: Gateway, start: datetime) -> None:
    found = await gateway.looks(counters(100, 0, 7), counters(110, 0, 67))
    rates = {demand: reading.value for demand, reading in found.items()}
    assert rates == {
        ("ocr", "paris"): Rate(2000, 10, 5.0),
        ("ocr", "lyon"): Rate(0, 0, 5.0),
        ("vad", "paris"): Rate(12_000, 60, 5.0),
    }
    assert {reading.at for reading in found.values()} == {start + STEP}


async def test_one_look_is_no_rate(gateway: Gateway) -> None:
    found = await gateway.looks(counters(100, 0, 7))
    assert {reading.value for reading in found.values()} == {None}


async def test_a_gateway_that_is_away_leaves_stale_rates_not_zero(gateway: Gateway, start: datetime) -> None:
    found = await gateway.looks(counters(100, 0, 7), counters(110, 5, 67), None)
    assert found["ocr", "paris"] == Reading(Rate(2000, 10, 5.0), start + STEP, found["ocr", "paris"].source)
    assert [finding.id for finding in gateway.snapshot.findings] == ["GW0504"]


async def test_a_gateway_that_was_never_there_leaves_missing_rates(gateway: Gateway) -> None:
    found = await gateway.looks(None)
    assert {(reading.value, reading.at) for reading in found.values()} == {(None, None)}
    assert len(found) == 3


async def test_a_service_that_is_not_counted_is_missing_with_a_finding(gateway: Gateway) -> None:
    only_ocr = {"paris/ocr/detect": 1, "lyon/ocr/detect": 1}
    found = await gateway.looks(only_ocr, only_ocr)
    assert found["vad", "paris"].value is None
    assert found["ocr", "paris"].value == Rate(0, 0, 5.0)
    assert [(item.id, item.subject) for item in gateway.snapshot.findings] == [("GW0521", "origin paris")]


async def test_a_value_that_is_no_count_keeps_the_last_rate(gateway: Gateway, start: datetime) -> None:
    found = await gateway.looks(counters(100, 0, 7), counters(110, 0, 67), counters("NaN", 0, 67))
    assert found["ocr", "paris"].at == start + STEP
    assert found["ocr", "lyon"].at == start + 2 * STEP


async def test_a_gateway_that_restarted_counts_from_zero(gateway: Gateway) -> None:
    found = await gateway.looks(counters(100, 0, 7), counters(20, 0, 7))
    assert found["ocr", "paris"].value == Rate(4000, 20, 5.0)


async def test_a_service_that_begins_with_several_calls_counts_requests(
    client: httpx.AsyncClient, source: Source, start: datetime
) -> None:
    gateway = Gateway(client, source, start, [vad(fanout=3)])
    found = await gateway.looks({"paris/vad/vad": 0}, {"paris/vad/vad": 31})
    assert found["vad", "paris"].value == Rate(2067, 10, 5.0)


async def test_a_service_that_the_policy_dropped_is_not_told(
    client: httpx.AsyncClient, source: Source, start: datetime
) -> None:
    services = [ocr(), vad()]
    gateway = Gateway(client, source, start, services)
    await gateway.looks(counters(0, 0, 0))
    services.pop()
    assert set(await gateway.looks(counters(1, 1, 1))) == {("ocr", "paris"), ("ocr", "lyon")}


def test_the_first_stage_waits_for_no_other() -> None:
    assert first_stage(a_service("s", ("paris",), (stage("b", "a"), stage("a")))).name == "a"


def test_the_counter_is_named_by_origin_service_and_stage() -> None:
    assert arrivals_stat("paris", "ocr", "detect") == "paris/ocr/detect"


def test_the_rate_of_a_single_call_is_never_nothing() -> None:
    window = CounterWindow[str](timedelta(seconds=10))
    start = datetime(2026, 5, 4, tzinfo=UTC)
    window.add(start, {"s": 0})
    window.add(start + timedelta(seconds=10), {"s": 1})
    increase = window.increase()
    assert increase is not None
    assert rate(increase, "s", 1000) == Rate(1, 0, 10.0)
    assert rate(increase, "s", 1) == Rate(100, 1, 10.0)
