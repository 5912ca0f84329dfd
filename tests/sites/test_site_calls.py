"""What a site may ask of the controller over TLS, and what is refused: on real sockets."""

import asyncio
import base64
import gzip
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hubs import Called, enrolment, hub_at, private_pem, requested

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
from controller.sites.calls import PLAN, REGISTER, RENEW, REPORT, Credentials
from controller.sites.hub import peer
from controller.sites.hub.authority import LIVES, Authority, KeysError
from controller.sites.hub.lifetimes import Lifetime, ending_soon
from controller.sites.hub.making_keys import (
    AUTHORITY,
    AUTHORITY_KEY,
    CERTIFICATE,
    KEY,
    PLAN_KEY,
    SERVES,
    make_keys,
)
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


@pytest_asyncio.fixture
async def called(tmp_path: Path) -> AsyncIterator[Called]:
    async with hub_at(tmp_path, PARIS, LYON) as found:
        yield found


def report(site: str = PARIS, sequence: int = 1) -> Report:
    now = datetime.now(UTC)
    return Report(site, sequence, now, Phase.CONNECTED, 0, Snapshot(now))


async def status(client: httpx.AsyncClient) -> int:
    return (await client.get(PLAN)).status_code


async def refused_by_tls(client: httpx.AsyncClient) -> bool:
    """Whether no answer comes: under TLS 1.3 a client learns of its certificate only when it reads."""
    try:
        await client.get(PLAN)
    except (httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError):
        return True
    return False


async def test_a_token_gives_a_certificate_once(called: Called) -> None:
    token = called.registry.new_token(PARIS, called.clock() + timedelta(hours=1))
    key, request = requested()
    client = called.client(called.context())
    answers = await asyncio.gather(*(client.post(REGISTER, content=enrolment(request, token)) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403, 403, 403]
    made = msgspec.json.decode(next(each for each in answers if each.is_success).content, type=Credentials)
    leaf = x509.load_pem_x509_certificate(made.certificate.encode())
    assert leaf.public_key() == key.public_key()
    assert leaf.not_valid_after_utc - called.clock() <= LIVES
    assert made.authority == (called.keys / AUTHORITY).read_text()
    assert token.encode() not in (called.folder.parent / "journal.db").read_bytes()
    assert await status(called.client(called.context(made.certificate, key))) == 204


async def test_a_token_is_for_an_hour_and_a_site_that_is_named(called: Called) -> None:
    late = called.registry.new_token(PARIS, called.clock() + timedelta(hours=1))
    stranger = called.registry.new_token("elsewhere", called.clock() + timedelta(days=2))
    _, request = requested()
    client = called.client(called.context())
    named = await client.post(REGISTER, content=enrolment(request, stranger))
    assert named.status_code == 403
    assert "agents" in named.json()["detail"]
    called.clock.passed = timedelta(hours=1, seconds=1)
    assert (await client.post(REGISTER, content=enrolment(request, late))).status_code == 403


async def test_a_request_that_is_none_uses_up_no_token(called: Called) -> None:
    token = called.registry.new_token(PARIS, called.clock() + timedelta(hours=1))
    client = called.client(called.context())
    assert (await client.post(REGISTER, content=enrolment("no request", token))).status_code == 400
    assert (await client.post(REGISTER, content=b"no enrolment")).status_code == 400
    assert (await client.post(REGISTER, content=b"x" * 40_000)).status_code == 413
    _, request = requested()
    assert (await client.post(REGISTER, content=enrolment(request, token))).status_code == 200


async def test_nothing_else_is_answered_without_a_certificate(called: Called) -> None:
    client = called.client(called.context())
    _, request = requested()
    assert await status(client) == 403
    assert (await client.put(REPORT, content=packed(report()), headers=GZIP)).status_code == 403
    assert (await client.post(RENEW, content=enrolment(request))).status_code == 403


async def test_another_authority_certifies_nobody(called: Called, tmp_path: Path) -> None:
    make_keys(tmp_path / "others", ("127.0.0.1",), called.clock())
    others = tmp_path / "others"
    other = Authority.read(others / AUTHORITY, others / AUTHORITY_KEY, others / PLAN_KEY)
    key, request = requested()
    made = other.issued(PARIS, request, called.clock(), called.clock()).credentials
    assert await refused_by_tls(called.client(called.context(made.certificate, key)))


async def test_a_certificate_that_has_ended_is_refused(called: Called) -> None:
    key, request = requested()
    long_ago = called.clock() - LIVES - timedelta(minutes=1)
    made = called.hub.authority.issued(PARIS, request, long_ago, long_ago).credentials
    assert await refused_by_tls(called.client(called.context(made.certificate, key)))


async def test_a_certificate_ends_on_a_connection_that_stands(called: Called) -> None:
    client = await called.site(PARIS)
    assert await status(client) == 204
    called.clock.passed = LIVES
    assert await status(client) == 403


async def test_a_certificate_holds_at_once_where_the_machines_clock_was_set_back(called: Called) -> None:
    called.clock.passed = timedelta(
        hours=1
    )  # time goes on from the latest instant, and TLS goes by the machine's clock
    site = await called.site(PARIS)
    assert (await site.get(PLAN)).status_code == 204


async def test_a_certificate_that_was_never_given_out_is_refused(called: Called) -> None:
    key, request = requested()
    made = called.hub.authority.issued(PARIS, request, called.clock(), called.clock()).credentials
    assert await status(called.client(called.context(made.certificate, key))) == 403


async def test_tls_1_2_is_refused(called: Called) -> None:
    context = called.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(httpx.ConnectError):
        await called.client(context).get(PLAN)


async def test_the_controller_is_known_by_its_certificate(called: Called, tmp_path: Path) -> None:
    make_keys(tmp_path / "others", ("127.0.0.1",), called.clock())
    context = ssl.create_default_context(cafile=tmp_path / "others" / AUTHORITY)
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        await called.client(context).get(PLAN)
    assert (called.keys / CERTIFICATE).exists()


async def test_a_revoked_site_is_not_let_in_and_renews_nothing(called: Called) -> None:
    client, other = await called.site(PARIS), await called.site(LYON)
    assert await status(client) == 204
    waiting = called.registry.new_token(PARIS, called.clock() + timedelta(hours=1))
    assert called.registry.revoke(PARIS) == 2
    _, request = requested()
    assert await status(client) == 403
    assert (await client.post(RENEW, content=enrolment(request))).status_code == 403
    assert (await client.post(REGISTER, content=enrolment(request, waiting))).status_code == 403
    assert await status(other) == 204


async def test_a_site_that_is_revoked_while_it_waits_gets_no_plan(called: Called) -> None:
    client = await called.site(PARIS)
    waiting = asyncio.create_task(client.get(PLAN, params={"wait_s": 10}))
    await asyncio.sleep(0.2)
    called.registry.revoke(PARIS)
    await called.hub.plans.publish(PARIS, lambda plan: plan, NOTHING)
    assert (await waiting).status_code == 403


async def test_a_certificate_renews_itself(called: Called) -> None:
    client = await called.site(PARIS)
    key, request = requested()
    answer = await client.post(RENEW, content=enrolment(request))
    renewed = msgspec.json.decode(answer.content, type=Credentials)
    assert renewed.site == PARIS
    assert await status(called.client(called.context(renewed.certificate, key))) == 204
    assert await status(client) == 204


async def test_an_authority_is_replaced_while_sites_go_on(tmp_path: Path) -> None:
    async with hub_at(tmp_path, PARIS) as called:
        credentials, key = await called.register(PARIS)
        keys, before = called.keys, (called.keys / AUTHORITY).read_text()
    make_keys(tmp_path / "new", ("127.0.0.1",), datetime.now(UTC))
    for name in (AUTHORITY, AUTHORITY_KEY, CERTIFICATE, KEY):
        (keys / name).write_text((tmp_path / "new" / name).read_text())
    (keys / AUTHORITY).write_text((keys / AUTHORITY).read_text() + before)
    async with hub_at(tmp_path, PARIS) as called:
        client = called.client(called.context(credentials.certificate, key))
        assert await status(client) == 204
        other, request = requested()
        answer = await client.post(RENEW, content=enrolment(request))
        renewed = msgspec.json.decode(answer.content, type=Credentials)
        new = x509.load_pem_x509_certificate((tmp_path / "new" / AUTHORITY).read_bytes())
        x509.load_pem_x509_certificate(renewed.certificate.encode()).verify_directly_issued_by(new)
        assert await status(called.client(called.context(renewed.certificate, other))) == 204


@pytest.mark.parametrize(("left", "told"), [(31, ""), (30, "ends at"), (0, "ended at")])
def test_a_certificate_that_ends_soon_is_told(tmp_path: Path, left: int, told: str) -> None:
    made = datetime(2026, 11, 27, tzinfo=UTC)
    make_keys(tmp_path, ("127.0.0.1",), made)
    lifetimes = Lifetime.of(tmp_path / CERTIFICATE), Lifetime.of(tmp_path / AUTHORITY)
    assert lifetimes[0].ends == made + SERVES
    found = [*ending_soon(lifetimes, made + SERVES - timedelta(days=left))]
    assert [(each.id, each.subject) for each in found] == ([("GW2145", CERTIFICATE)] if told else [])
    assert all(told in each.message for each in found)
    assert [each.level is Level.ERROR for each in found] == ([left == 0] if told else [])


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


def test_keys_that_others_may_read_are_not_used(tmp_path: Path) -> None:
    make_keys(tmp_path, ("127.0.0.1",), datetime.now(UTC))
    key = tmp_path / AUTHORITY_KEY
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    with pytest.raises(KeysError, match="chmod 600"):
        Authority.read(tmp_path / AUTHORITY, key, tmp_path / PLAN_KEY)
    with pytest.raises(KeysError, match="there already"):
        make_keys(tmp_path, ("127.0.0.1",), datetime.now(UTC))


def test_a_key_that_is_not_the_authoritys_is_told(tmp_path: Path) -> None:
    make_keys(tmp_path, ("127.0.0.1",), datetime.now(UTC))
    other, _ = requested()
    (tmp_path / AUTHORITY_KEY).write_text(private_pem(other))
    with pytest.raises(KeysError, match="is not the key of"):
        Authority.read(tmp_path / AUTHORITY, tmp_path / AUTHORITY_KEY, tmp_path / PLAN_KEY)


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def opened(called: Called, source: str = "127.0.0.1") -> Connection:
    """A connection without a certificate, whose handshake is done."""
    host, port = called.url.removeprefix("https://").split(":")
    return await asyncio.open_connection(host, int(port), ssl=called.context(), local_addr=(source, 0))


async def has_ended(reader: asyncio.StreamReader) -> bool:
    """Whether a connection ends within 2 s, in whatever way."""
    with suppress(OSError):
        await asyncio.wait_for(reader.read(), 2)
    return reader.at_eof() or reader.exception() is not None


async def test_strangers_take_no_connections_of_sites(called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "STRANGERS", 3)
    site = await called.site(PARIS)
    for client in called.opened[:-1]:
        await client.aclose()
    await asyncio.sleep(0.1)
    standing = [await opened(called) for _ in range(4)]
    assert await has_ended(standing[0][0])
    assert not standing[-1][0].at_eof()
    assert (await site.get(PLAN)).status_code == 204
    for _, writer in standing:
        writer.close()


async def test_who_holds_the_places_of_strangers_keeps_nobody_from_registering(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "STRANGERS", 8)
    many = [await opened(called, "127.0.0.3") for _ in range(8)]
    few = [await opened(called, "127.0.0.2") for _ in range(3)]
    more = [await opened(called, "127.0.0.3") for _ in range(20)]
    assert all([await has_ended(each[0]) for each in (*many, *more[:-5])])
    assert not any(reader.at_eof() for reader, _ in (*few, *more[-5:]))
    site = await called.site(PARIS)
    assert (await site.get(PLAN)).status_code == 204
    for _, writer in (*many, *few, *more):
        writer.close()


async def guessed(called: Called, source: str, times: int) -> list[int]:
    """The answers to so many tokens that are none, sent one after the other from an address."""
    _, request = requested()
    transport = httpx.AsyncHTTPTransport(verify=called.context(), local_address=source)
    async with httpx.AsyncClient(base_url=called.url, transport=transport, trust_env=False) as client:
        return [(await client.post(REGISTER, content=enrolment(request, "guess"))).status_code for _ in range(times)]


async def test_who_guesses_tokens_keeps_nobody_from_registering(called: Called) -> None:
    assert await guessed(called, "127.0.0.3", 62) == [403] * 60 + [429] * 2
    assert (await (await called.site(PARIS)).get(PLAN)).status_code == 204
    called.clock.passed = timedelta(minutes=1)
    assert await guessed(called, "127.0.0.3", 1) == [403], "a minute later it may try again"


async def test_a_certificate_that_was_revoked_keeps_its_site_out_by_no_number_of_connections(called: Called) -> None:
    credentials, key = await called.register(PARIS)
    stolen = called.context(credentials.certificate, key)
    host, port = called.url.removeprefix("https://").split(":")
    standing = [await asyncio.open_connection(host, int(port), ssl=stolen) for _ in range(peer.CONNECTIONS_A_SITE)]
    called.registry.revoke(PARIS)
    site = await called.site(PARIS)
    assert (await site.get(PLAN)).status_code == 204
    more = await asyncio.open_connection(host, int(port), ssl=stolen)
    assert [await has_ended(each[0]) for each in standing[:2]] == [True] * 2, "who has most gives way"
    assert not more[0].at_eof()
    assert (await site.get(PLAN)).status_code == 204
    for _, writer in (*standing, more):
        writer.close()


async def test_a_second_request_is_waited_for_no_longer_than_the_first(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "REQUEST_S", 0.2)
    reader, writer = await opened(called)
    writer.write(b"GET /v1/plan HTTP/1.1\r\nhost: a\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 403")
    writer.write(b"GET /v1/plan HTTP/1.1\r\n")
    assert await has_ended(reader)
    writer.close()
