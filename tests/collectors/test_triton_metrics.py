from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import loopback
import pytest
from loopback import Source

from collectors.exposition import MAX_LINE_CHARACTERS, MAX_LINES
from collectors.fetch import SourceError, Trouble
from collectors.snapshot import Freshness, Reading, StageWork, Work
from collectors.triton_counters import COUNTERS, PENDING
from collectors.triton_metrics import MetricsTarget, TritonMetrics, parse

STEP = timedelta(seconds=5)


def exposition(model: str, value: int, without: Iterable[str] = (), labels: str = 'version="1"') -> str:
    families = [family for family in (*COUNTERS, PENDING) if family not in without]
    return "".join(f'{family}{{model="{model}",{labels}}} {value}\n' for family in families)


def work(requests: int, pending: int, window_s: float = 5.0) -> StageWork:
    """Where every counter gained the same: compute time is the sum of three."""
    return StageWork(window_s, requests, requests, requests, requests, 3 * requests, pending)


class Scraped:
    """A collector whose server shows the given text at each look, or is away for None."""

    def __init__(self, client: httpx.AsyncClient, source: Source, now: datetime) -> None:
        self._source = source
        self._now = now
        self._collector = TritonMetrics(client, [MetricsTarget("edge", f"{source.url}/metrics")])

    async def looks(self, *texts: str | None) -> tuple[Work, ...]:
        for text in texts:
            gone = loopback.body(b"", 503)
            self._source.answers[""] = gone if text is None else loopback.body(text.encode())
            self.snapshot = await self._collector.collect(self._now)
            self._now += STEP
        return self.snapshot.work

    async def counters(self, *texts: str | None) -> Reading[StageWork]:
        (only,) = await self.looks(*texts)
        return only.counters

    @property
    def findings(self) -> list[str]:
        return [finding.id for finding in self.snapshot.findings]


@pytest.fixture
def scraped(client: httpx.AsyncClient, source: Source, start: datetime) -> Scraped:
    return Scraped(client, source, start)


async def test_the_first_look_has_no_rate_yet(scraped: Scraped, source: Source) -> None:
    (only,) = await scraped.looks(exposition("det--fp32", 5))
    assert (only.pool, only.model, only.variant) == ("edge", "det", "fp32")
    assert only.counters == Reading(None, None, f"{source.url}/metrics")


async def test_the_second_look_tells_what_was_done_since(scraped: Scraped, start: datetime) -> None:
    reading = await scraped.counters(exposition("det--fp32", 5), exposition("det--fp32", 12))
    assert reading.value == work(7, pending=12)
    assert reading.at == start + STEP


async def test_a_server_that_vanished_is_stale_not_zero(scraped: Scraped, start: datetime) -> None:
    reading = await scraped.counters(exposition("det--fp32", 5), exposition("det--fp32", 12), None, None)
    assert reading.value == work(7, pending=12)
    assert reading.at == start + STEP
    assert reading.freshness(start + 4 * STEP, timedelta(seconds=10)) is Freshness.STALE
    assert scraped.findings == ["GW0504"]


async def test_a_server_that_restarted_counts_from_zero(scraped: Scraped) -> None:
    reading = await scraped.counters(exposition("det--fp32", 900), exposition("det--fp32", 4))
    assert reading.value == work(4, pending=4)


async def test_after_a_long_absence_the_last_reading_stands_until_two_looks_were_had(
    scraped: Scraped, start: datetime
) -> None:
    before = (exposition("det--fp32", 5), exposition("det--fp32", 12))
    reading = await scraped.counters(*before, None, None, None, exposition("det--fp32", 500))
    assert (reading.value, reading.at) == (work(7, pending=12), start + STEP)
    reading = await scraped.counters(exposition("det--fp32", 503))
    assert reading.value == work(3, pending=503)


async def test_a_value_that_is_not_a_number_keeps_the_last_reading(scraped: Scraped, start: datetime) -> None:
    broken = exposition("det--fp32", 20).replace("duration_us{", "duration_us {").replace(" 20", " NaN", 1)
    reading = await scraped.counters(exposition("det--fp32", 5), exposition("det--fp32", 12), broken)
    assert (reading.value, reading.at) == (work(7, pending=12), start + STEP)
    assert scraped.findings == ["GW0512"]


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1"])
def test_what_is_no_count_makes_its_model_unusable(value: str) -> None:
    text = exposition("det--fp32", 1, without=[PENDING]) + f'{PENDING}{{model="det--fp32"}} {value}\n'
    scrape = parse(text.encode(), "here")
    assert scrape.unusable == {"det--fp32": (PENDING,)}


async def test_a_family_that_is_missing_leaves_its_model_without_a_value(scraped: Scraped) -> None:
    lacking = exposition("det--fp32", 5, without=["nv_inference_exec_count"]) + exposition("cls--fp32", 5)
    works = {item.model: item.counters.value for item in await scraped.looks(lacking, lacking)}
    assert works == {"det": None, "cls": work(0, pending=5)}
    assert scraped.findings == ["GW0512"]


async def test_label_sets_of_a_model_are_summed_each_with_its_own_resets(scraped: Scraped) -> None:
    def both(first: int, second: int) -> str:
        return exposition("det--fp32", first) + exposition("det--fp32", second, labels='version="2",gpu_uuid="g"')

    reading = await scraped.counters(both(100, 50), both(110, 3))
    assert reading.value == work(10 + 3, pending=113)


async def test_a_version_that_is_gone_does_not_look_like_a_reset(scraped: Scraped) -> None:
    old, new = exposition("det--fp32", 1000), exposition("det--fp32", 10, labels='version="2"')
    reading = await scraped.counters(old + new, new.replace(" 10", " 12"))
    assert reading.value == work(2, pending=12)


async def test_failures_by_reason_are_summed(scraped: Scraped) -> None:
    family = "nv_inference_request_failure"

    def text(rejected: int, canceled: int) -> str:
        reasons = (("REJECTED", rejected), ("CANCELED", canceled))
        lines = [f'{family}{{model="det--fp32",reason="{reason}",version="1"}} {count}' for reason, count in reasons]
        return exposition("det--fp32", 0, without=[family]) + "\n".join(lines)

    reading = await scraped.counters(text(0, 0), text(2, 3))
    assert reading.value is not None
    assert reading.value.failures == 5


async def test_a_model_that_was_unloaded_has_no_reading(scraped: Scraped) -> None:
    assert await scraped.looks(exposition("det--fp32", 5), exposition("det--fp32", 9), "nv_cpu_utilization 1\n") == ()
    assert scraped.findings == []


async def test_models_with_other_names_are_ignored_with_one_finding(scraped: Scraped) -> None:
    text = exposition("simple", 1) + exposition("a--b--c", 1) + exposition("--x", 1)
    assert await scraped.looks(text) == ()
    assert scraped.findings == ["GW0511"]
    assert "a--b--c" in scraped.snapshot.findings[0].message


async def test_pools_are_read_apart(client: httpx.AsyncClient, source: Source, start: datetime) -> None:
    source.answers = {"/a": loopback.body(exposition("det--fp32", 1).encode()), "/b": loopback.body(b"", 500)}
    targets = [MetricsTarget("a", f"{source.url}/a"), MetricsTarget("b", f"{source.url}/b")]
    snapshot = await TritonMetrics(client, targets).collect(start)
    assert [item.pool for item in snapshot.work] == ["a"]
    assert [item.subject for item in snapshot.findings] == ["pool b"]


def test_the_capture_of_a_serving_triton_is_read(data: Path) -> None:
    scrape = parse((data / "triton_metrics.txt").read_bytes(), "capture")
    assert scrape.pending == {"toy--fp32": 0}
    assert scrape.unusable == {}
    assert len(scrape.totals) == len(COUNTERS) + 3  # four reasons of failure


def test_the_failures_that_triton_still_shows_of_an_unloaded_model_do_not_make_it_loaded(data: Path) -> None:
    body = (data / "triton_metrics.txt").read_bytes()
    assert b'model="stray"' in body
    assert "stray" not in {series[0] for series in parse(body, "capture").totals}


def test_a_triton_without_models_is_read_as_one(data: Path) -> None:
    scrape = parse((data / "triton_metrics_no_models.txt").read_bytes(), "capture")
    assert (scrape.totals, scrape.unusable) == ({}, {})


@pytest.mark.parametrize(
    "text",
    [
        "nv_inference_count 1\n" * (MAX_LINES + 1),
        'nv_inference_count{model="' + "x" * MAX_LINE_CHARACTERS + '"} 1',
    ],
)
def test_more_than_is_worth_parsing_is_not_parsed(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse(text.encode(), "here")
    assert caught.value.trouble is Trouble.LARGE


async def test_servers_come_and_go_between_looks(client: httpx.AsyncClient, source: Source, start: datetime) -> None:
    targets: list[MetricsTarget] = []
    collector = TritonMetrics(client, targets)
    source.answers[""] = loopback.body(exposition("det--fp32", 5).encode())
    assert (await collector.collect(start)).work == ()
    target = MetricsTarget("edge", f"{source.url}/metrics", "edge-7")
    targets.append(target)
    (first,) = (await collector.collect(start + STEP)).work
    assert (first.node, first.counters.value) == ("edge-7", None)
    source.answers[""] = loopback.body(exposition("det--fp32", 9).encode())
    (second,) = (await collector.collect(start + 2 * STEP)).work
    assert second.counters.value == work(4, pending=9)
    targets.clear()
    assert (await collector.collect(start + 3 * STEP)).work == ()
    targets.append(target)
    (again,) = (await collector.collect(start + 4 * STEP)).work
    assert again.counters.value is None, "what was counted before it went is forgotten"
