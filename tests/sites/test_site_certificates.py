"""Who is let in by which certificate, how it is given out, renewed and revoked: on real sockets."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
import pytest
from cryptography import x509
from hubs import Called, enrolment, hub_at, private_pem, requested

from collectors.snapshot import (
    Snapshot,
)
from controller.sites.calls import PLAN, REGISTER, RENEW, REPORT, Credentials
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
from controller.sites.report import Phase, Report, packed
from controller.sites.site_plan import SitePlan
from policy.findings import Level

PARIS, LYON = "edge-paris", "edge-lyon"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING = SitePlan(PARIS, 0, LONG_AGO, LONG_AGO)
GZIP = {"content-encoding": "gzip"}


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
