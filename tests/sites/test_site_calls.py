"""What a site asks of the controller and reports to it, and what is refused: on real sockets."""

import asyncio
import base64
import gzip
import os
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hubs import Called

from collectors.recording import encode
from collectors.snapshot import (
    Batches,
    BatchTime,
    LoadedModel,
    ModelState,
    Offered,
    Rate,
    Reading,
    Server,
    ServerState,
    Snapshot,
)
from controller.fleet import RouteSet, Way
from controller.sites.calls import PLAN, REPORT
from controller.sites.hub.peer import Peer
from controller.sites.hub.plausible import told
from controller.sites.report import MOST_BYTES, MOST_PACKED_BYTES, Phase, Report, packed
from controller.sites.signed import Expected, PlanRefusedError, Refusal, key_id, verified
from controller.sites.site_plan import SitePlan
from policy.findings import Finding, Level, Place

PARIS, LYON = "edge-paris", "edge-lyon"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING = SitePlan(PARIS, 0, LONG_AGO, LONG_AGO)
GZIP = {"content-encoding": "gzip"}


def report(site: str = PARIS, sequence: int = 1) -> Report:
    now = datetime.now(UTC)
    return Report(site, sequence, now, Phase.CONNECTED, 0, Snapshot(now))


async def test_a_plan_is_waited_for_and_is_signed(called: Called) -> None:
    credentials, key = await called.register(PARIS)
    client = called.client(called.context(credentials.certificate, key))
    other = await called.site(LYON)
    waiting = asyncio.create_task(client.get(PLAN, params={"after": 0, "wait_s": 10}))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    generation = await called.hub.plans.publish(PARIS, lambda plan: plan, NOTHING)
    token = (await waiting).text
    keys = [load_pem_public_key(each.encode()) for each in credentials.plan_keys]
    plan = verified(token, {key_id(each): each for each in keys}, Expected(PARIS, 0, called.clock()))
    assert plan.generation == generation == 1
    with pytest.raises(PlanRefusedError) as refused:
        verified(token, {key_id(each): each for each in keys}, Expected(LYON, 0, called.clock()))
    assert refused.value.refusal is Refusal.OTHER_SITE
    assert (await client.get(PLAN, params={"after": generation})).status_code == 204
    assert (await other.get(PLAN, params={"site": PARIS})).status_code == 204


async def test_generations_grow_over_a_restart_and_beyond_what_a_site_knows(called: Called) -> None:
    plans = called.hub.plans
    assert await plans.publish(PARIS, lambda plan: replace(plan, valid_until=called.clock()), NOTHING) == 1
    again = type(plans)(called.registry, called.hub.authority.plan_key, called.clock)
    assert await again.publish(PARIS, lambda plan: plan, NOTHING) == 1
    assert await again.publish(PARIS, lambda plan: plan, replace(NOTHING, generation=41)) == 42
    with pytest.raises(Exception, match="another controller gives out plans"):
        await plans.publish(PARIS, lambda plan: replace(plan, issued_at=LONG_AGO), NOTHING)


async def test_a_report_is_taken(called: Called) -> None:
    client = await called.site(PARIS)
    assert (await client.put(REPORT, content=packed(report()), headers=GZIP)).status_code == 204
    heard = called.hub.reports.of(PARIS)
    assert heard is not None
    assert heard.report.sequence == 1
    assert called.hub.reports.of(LYON) is None


async def test_an_older_report_does_not_count_but_of_an_agent_that_starts_anew(called: Called) -> None:
    reports, one, two = called.hub.reports, Peer(PARIS, "01"), Peer(PARIS, "02")
    assert reports.take(report(sequence=5), one, called.clock())
    assert not reports.take(report(sequence=5), one, called.clock())
    assert not reports.take(report(sequence=4), one, called.clock())
    assert reports.take(report(sequence=1), two, called.clock())


async def test_a_report_is_refused_that_is_no_report_too_large_or_of_another_site(called: Called) -> None:
    client = await called.site(PARIS)

    async def answered(content: bytes, headers: dict[str, str] = GZIP) -> int:
        return (await client.put(REPORT, content=content, headers=headers)).status_code

    assert await answered(packed(report(LYON))) == 403
    assert await answered(encode(report()), {}) == 400
    assert await answered(b"no gzip") == 400
    assert await answered(gzip.compress(b"{}")) == 400
    assert await answered(gzip.compress(b" " * (MOST_BYTES + 1))) == 400
    assert await answered(b"x" * (MOST_PACKED_BYTES + 1)) == 413
    assert called.hub.reports.of(PARIS) is None


async def test_a_report_is_refused_that_cannot_be_true(called: Called) -> None:
    client = await called.site(PARIS)
    now = datetime.now(UTC)

    def holding(instances: int) -> Snapshot:
        model = LoadedModel("vad", "fp32", ModelState.READY, instances, 1, 0)
        return Snapshot(now, servers=(Server(PARIS, Reading(ServerState((model,)), now, "triton")),))

    def asked(window_s: float) -> Snapshot:
        return Snapshot(now, offered=(Offered("calls", PARIS, Reading(Rate(1, 1, window_s), now, "gateway")),))

    def executed(time: BatchTime) -> Snapshot:
        return Snapshot(now, batches=(Batches(PARIS, "vad", "fp32", Reading((time,), now, "triton")),))

    wrong = (
        replace(report(), generation=2**60),
        replace(report(), at=now.replace(tzinfo=None)),
        replace(report(), at=datetime(1, 1, 1, tzinfo=UTC)),
        replace(report(), seen=replace(holding(1), at=datetime(9999, 12, 31, tzinfo=UTC))),
        replace(report(), seen=asked(1e300)),
        replace(report(), seen=asked(0.0)),
        replace(report(), seen=executed(BatchTime(1, 0, 9))),
        replace(report(), seen=executed(BatchTime(0, 1, 9))),
        replace(report(), seen=holding(-1)),
        replace(report(), seen=holding(10**9)),
        replace(report(), routes=(RouteSet("calls", PARIS, (Way(700, ()), Way(700, ()))),)),
    )
    for each in wrong:
        answer = await client.put(REPORT, content=packed(each), headers=GZIP)
        assert answer.status_code == 400
        assert "cannot be true" in answer.json()["detail"]
    assert called.hub.reports.of(PARIS) is None


def test_what_a_site_finds_is_passed_on_as_its_own() -> None:
    place = Place("services.yaml", 1, 1)
    long = Finding("GW2180", Level.WARNING, "m" * 9_000, "h" * 9_000, place, "edge-paris-0")
    forged = Finding("GW3001", Level.WARNING, "no turn may act", "")
    (passed,) = told(replace(report(), findings=(forged, long)), PARIS)
    assert (passed.id, passed.place, passed.subject) == ("GW2180", None, "site edge-paris, edge-paris-0")
    assert len(passed.message) == len(passed.hint) == 500


async def test_a_site_sends_so_much_and_no_more(called: Called) -> None:
    client, other = await called.site(PARIS), await called.site(LYON)
    noise = gzip.compress(base64.b64encode(os.urandom(130_000)))
    answers = [(await client.put(REPORT, content=noise, headers=GZIP)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 429]
    assert answers[1].headers["retry-after"] == "5"
    assert (await other.put(REPORT, content=packed(report(LYON)), headers=GZIP)).status_code == 204


async def test_a_site_asks_for_so_many_things_at_once(called: Called) -> None:
    client = await called.site(PARIS)
    waiting = [asyncio.create_task(client.get(PLAN, params={"wait_s": 2})) for _ in range(6)]
    answers = sorted([(await each).status_code for each in waiting])
    assert answers == [204, 204, 204, 204, 429, 429]
