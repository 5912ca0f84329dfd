"""Counters through Prometheus, with the answers that a real one gave.

No Prometheus runs here. The answers in `data/prometheus_*.json` were recorded from Prometheus 2.42.0 (Debian 12), asked
with the collector's own query. It scraped, every 5 s, an exposition of a real Triton in which
`nv_inference_request_success` rises by 7 and `nv_inference_exec_count` by 4 with each scrape; the server was then set
back, then emptied of models, then ended. A server on the loopback gives these answers. Its certificate is made for
these tests and signs itself.
"""

import asyncio
import json
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import loopback
import pytest
import trustme
from loopback import Source

from collectors.fetch import Limits
from collectors.prometheus import PrometheusMetrics, PrometheusTarget
from collectors.prometheus_api import PrometheusEndpoint
from collectors.snapshot import Freshness, Reading, Snapshot, StageWork
from collectors.triton_counters import COUNTERS, PENDING

TARGET = PrometheusTarget("edge", (("instance", "127.0.0.1:8002"), ("job", "triton")))
ASKED = datetime(2026, 11, 24, 21, 28, 45, tzinfo=UTC)
NEWEST = datetime.fromtimestamp(1795555705.228, UTC)
Ask = Callable[..., Awaitable[Snapshot]]


@pytest.fixture
def ask(source: Source, data: Path) -> Ask:
    """Collect once, from a Prometheus that gives the recorded answer of that name."""
    collector = PrometheusMetrics(PrometheusEndpoint(source.url), [TARGET])

    async def asked(name: str, now: datetime = ASKED) -> Snapshot:
        source.answers[""] = loopback.body((data / f"prometheus_{name}.json").read_bytes())
        return await collector.collect(now)

    return asked


def counters(snapshot: Snapshot) -> Reading[StageWork]:
    (work,) = snapshot.work
    assert (work.pool, work.model, work.variant) == ("edge", "toy", "fp32")
    return work.counters


def answer(*series: tuple[str, list[tuple[float, str]]]) -> bytes:
    labels = {"instance": "127.0.0.1:8002", "model": "toy--fp32"}
    result = [{"metric": {"__name__": name, **labels}, "values": values} for name, values in series]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()


def every_family(*values: tuple[float, str]) -> list[tuple[str, list[tuple[float, str]]]]:
    return [(name, list(values)) for name in (*COUNTERS, PENDING)]


async def test_two_scrapes_tell_what_was_done_between_them(ask: Ask, source: Source) -> None:
    snapshot = await ask("serving")
    expected = StageWork(5.004, requests=7, failures=0, executions=4, queue_us=0, compute_us=0, pending=0)
    at = datetime.fromtimestamp(1795555695.228, UTC)
    assert counters(snapshot) == Reading(expected, at, source.url)
    assert snapshot.findings == ()


async def test_labels_may_be_those_of_the_server_of_a_node(source: Source, data: Path) -> None:
    targets = [PrometheusTarget("edge", TARGET.labels, node) for node in ("edge-0", "edge-1")]
    source.answers[""] = loopback.body((data / "prometheus_serving.json").read_bytes())
    snapshot = await PrometheusMetrics(PrometheusEndpoint(source.url), targets).collect(ASKED)
    assert [(work.node, work.counters.value) for work in snapshot.work] == [
        (node, StageWork(5.004, requests=7, failures=0, executions=4, queue_us=0, compute_us=0, pending=0))
        for node in ("edge-0", "edge-1")
    ]


async def test_a_server_that_restarted_counts_from_zero(ask: Ask) -> None:
    reading = counters(await ask("restarted"))
    assert reading.at == NEWEST
    assert reading.value is not None
    assert (reading.value.window_s, reading.value.requests, reading.value.executions) == (10.0, 12 + 7, 10 + 4)


async def test_a_server_without_models_has_no_work(ask: Ask) -> None:
    await ask("restarted")
    assert await ask("no_models") == Snapshot(ASKED)


async def test_a_server_that_prometheus_cannot_scrape_is_stale_not_zero(ask: Ask) -> None:
    before = counters(await ask("restarted"))
    snapshot = await ask("away", ASKED + timedelta(seconds=20))
    assert counters(snapshot) == before
    assert before.freshness(ASKED + timedelta(seconds=20), timedelta(seconds=15)) is Freshness.STALE
    assert [finding.id for finding in snapshot.findings] == ["GW0501"]


async def test_a_server_that_was_never_scraped_has_no_reading(ask: Ask) -> None:
    snapshot = await ask("away")
    assert snapshot.work == ()
    assert [finding.id for finding in snapshot.findings] == ["GW0501"]


async def test_a_refusal_is_told_with_what_prometheus_said(ask: Ask, source: Source, data: Path) -> None:
    source.answers["/api/v1/query"] = loopback.body((data / "prometheus_refusal.json").read_bytes(), 400)
    snapshot = await ask("serving")
    assert [finding.id for finding in snapshot.findings] == ["GW0504"]
    assert "parse error" in snapshot.findings[0].message


async def test_the_query_names_the_families_and_the_labels(ask: Ask, source: Source) -> None:
    await ask("serving")
    (path,) = source.requests
    asked = parse_qs(urlsplit(path).query)
    assert (urlsplit(path).path, asked["partial_response"], asked["dedup"]) == ("/api/v1/query", ["false"], ["true"])
    families, _, labels = asked["query"][0].partition(",")
    assert families == '{__name__=~"' + "|".join(("up", PENDING, *COUNTERS)) + '"'
    assert labels == 'instance="127.0.0.1:8002",job="triton"}[120s]'


def test_a_label_cannot_end_the_query() -> None:
    target = PrometheusTarget("edge", (("instance", 'x"} or up{a="\\\n'),))
    assert target.query.endswith(r'instance="x\"} or up{a=\"\\\n"}[120s]')


@pytest.mark.parametrize("ups", [0, 2])
async def test_labels_that_select_no_server_or_several_give_no_value(ask: Ask, source: Source, ups: int) -> None:
    several = [("up", [(1.0, "1")])] * ups
    source.answers["/api/v1/query"] = loopback.body(answer(*several, *every_family((1.0, "5"))))
    snapshot = await ask("serving")
    assert snapshot.work == ()
    assert [finding.id for finding in snapshot.findings] == ["GW0505"]
    assert f"knows {ups} servers" in snapshot.findings[0].message


async def test_a_family_that_is_missing_leaves_no_value(ask: Ask, source: Source) -> None:
    lacking = every_family((1.0, "5"), (6.0, "9"))[1:]
    source.answers["/api/v1/query"] = loopback.body(answer(("up", [(1.0, "1"), (6.0, "1")]), *lacking))
    snapshot = await ask("serving")
    assert counters(snapshot).value is None
    assert [finding.id for finding in snapshot.findings] == ["GW0512"]


async def test_a_value_that_is_no_number_leaves_no_value(ask: Ask, source: Source) -> None:
    broken = every_family((1.0, "5"), (6.0, "NaN"))
    source.answers["/api/v1/query"] = loopback.body(answer(("up", [(1.0, "1"), (6.0, "1")]), *broken))
    snapshot = await ask("serving")
    assert counters(snapshot).value is None
    assert [finding.id for finding in snapshot.findings] == ["GW0512"]


async def test_a_server_that_is_scraped_every_minute_still_shows_a_rate(ask: Ask, source: Source) -> None:
    rare = every_family((0.0, "0"), (60.0, "30"), (120.0, "90"))
    source.answers["/api/v1/query"] = loopback.body(answer(("up", [(0.0, "1"), (60.0, "1"), (120.0, "1")]), *rare))
    reading = counters(await ask("serving"))
    assert reading.value is not None
    assert (reading.value.window_s, reading.value.requests) == (120.0, 90)


async def test_a_clock_that_is_ahead_does_not_make_a_reading_younger_than_now(ask: Ask) -> None:
    early = NEWEST - timedelta(seconds=60)
    assert counters(await ask("restarted", early)).at == early


async def test_many_pools_are_not_waited_for_one_after_the_other(source: Source) -> None:
    source.answers[""] = loopback.silence
    targets = [PrometheusTarget(f"pool-{number}", (("instance", "x"),)) for number in range(50)]
    limits = Limits(total=timedelta(seconds=0.2))
    async with asyncio.timeout(5):
        snapshot = await PrometheusMetrics(PrometheusEndpoint(source.url), targets, limits=limits).collect(ASKED)
    assert [finding.id for finding in snapshot.findings] == ["GW0502"] * 50


@pytest.mark.parametrize(
    ("kind", "secret", "expected"),
    [
        ("bearer_token_file", "abc\n", "Bearer abc"),
        ("basic_auth_file", "me:secret\n", f"Basic {b64encode(b'me:secret').decode()}"),
    ],
)
async def test_credentials_come_from_a_file_and_are_read_anew(
    source: Source, tmp_path: Path, kind: str, secret: str, expected: str
) -> None:
    file = tmp_path / "secret"
    file.write_text(secret)
    source.answers[""] = loopback.body(answer())
    collector = PrometheusMetrics(PrometheusEndpoint(source.url, **{kind: file}), [TARGET])
    await collector.collect(ASKED)
    assert f"authorization: {expected}" in source.heads[-1].replace("Authorization", "authorization")
    file.unlink()
    snapshot = await collector.collect(ASKED)
    assert len(source.heads) == 1
    assert [finding.id for finding in snapshot.findings] == ["GW0501"]
    assert "cannot be read" in snapshot.findings[0].message


@pytest.fixture
def authority() -> trustme.CA:
    """A certificate authority that nobody knows."""
    return trustme.CA()


@pytest.fixture
async def private(data: Path, authority: trustme.CA) -> AsyncIterator[Source]:
    """A source over TLS, whose certificate that authority signed."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    async with loopback.listening(tls) as source:
        source.answers[""] = loopback.body((data / "prometheus_serving.json").read_bytes())
        yield source


async def test_a_certificate_that_nobody_vouches_for_is_not_believed(private: Source) -> None:
    snapshot = await PrometheusMetrics(PrometheusEndpoint(private.url), [TARGET]).collect(ASKED)
    assert [finding.id for finding in snapshot.findings] == ["GW0501"]
    assert "certificate" in snapshot.findings[0].message
    assert private.heads == []


async def test_a_certificate_of_the_authority_that_is_named_is_believed(
    private: Source, authority: trustme.CA, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    endpoint = PrometheusEndpoint(private.url, ca_file=tmp_path / "authority.pem")
    snapshot = await PrometheusMetrics(endpoint, [TARGET]).collect(ASKED)
    assert counters(snapshot).value is not None
