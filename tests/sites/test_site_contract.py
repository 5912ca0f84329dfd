"""What a site and the controller tell each other: signed plans, packed reports, and how much is sent."""

import base64
import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from jwt import PyJWS

from collectors.recording import encode
from collectors.snapshot import LoadedModel, ModelState, Reading, Server, ServerState, Snapshot
from controller.fleet import Load, RouteSet, Way
from controller.sites.calls import identity_of, site_of
from controller.sites.report import (
    MOST_BYTES,
    MOST_BYTES_PER_S,
    MOST_PACKED_BYTES,
    Allowance,
    Measure,
    Phase,
    Report,
    ReportError,
    Sketch,
    packed,
    unpacked,
)
from controller.sites.signed import ALGORITHM, TYPE, Expected, PlanRefusedError, Refusal, key_id, signed, verified
from controller.sites.site_plan import Envelope, SiteLoad, SitePlan, SiteRoute, SiteService
from rules.kernel.problem import Placement

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
HERE = Placement("ocr", "int8", "edge-paris")
ROUTES = RouteSet("receipts", "edge-paris", (Way(1000, (HERE,)),))
PLAN = SitePlan(
    site="edge-paris",
    generation=7,
    issued_at=NOW,
    valid_until=NOW + timedelta(hours=1),
    loads=(SiteLoad(Load(HERE, 2, 8, 500, "edge-paris-0"), Envelope(2, 4), 800, 100, 40_000, NOW + timedelta(days=1)),),
    routes=(SiteRoute(ROUTES, NOW + timedelta(days=1)),),
    fallbacks=(SiteRoute(ROUTES),),
    services=(SiteService("receipts", ("read",)),),
)
EXPECTED = Expected("edge-paris", 6, NOW)
REPORT = Report(
    site="edge-paris",
    sequence=1,
    at=NOW,
    phase=Phase.CONNECTED,
    generation=7,
    seen=Snapshot(
        NOW,
        servers=(
            Server(
                "edge-paris",
                Reading(ServerState((LoadedModel("ocr", "int8", ModelState.READY, 2, 8, 500),)), NOW, "agent"),
                "edge-paris-0",
            ),
        ),
    ),
    routes=(ROUTES,),
    sketches=(Sketch(Measure.QUEUE, ("edge-paris", "ocr", "int8"), NOW, 10.0, 1, b"\x00\xff"),),
)


@pytest.fixture(scope="module")
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def refusal(token: str, key: Ed25519PrivateKey, expected: Expected = EXPECTED) -> Refusal:
    public = key.public_key()
    with pytest.raises(PlanRefusedError) as refused:
        verified(token, {key_id(public): public}, expected)
    return refused.value.refusal


def test_a_plan_comes_back_as_it_was_signed(key: Ed25519PrivateKey) -> None:
    public = key.public_key()
    assert verified(signed(PLAN, key), {key_id(public): public}, EXPECTED) == PLAN


def test_a_plan_is_refused_for_what_it_is_not(key: Ed25519PrivateKey) -> None:
    token = signed(PLAN, key)
    assert refusal(token, key, replace(EXPECTED, site="edge-lyon")) is Refusal.OTHER_SITE
    assert refusal(token, key, replace(EXPECTED, after=7)) is Refusal.OLDER
    assert refusal(token, key, replace(EXPECTED, now=PLAN.valid_until)) is Refusal.EXPIRED
    assert refusal(token, Ed25519PrivateKey.generate()) is Refusal.UNKNOWN_KEY
    assert refusal("x" * 3_000_000, key) is Refusal.TOO_LARGE
    assert refusal("no.token", key) is Refusal.MALFORMED


def test_a_changed_plan_has_no_good_signature(key: Ed25519PrivateKey) -> None:
    header, payload, signature = signed(PLAN, key).split(".")
    more = encode(replace(PLAN, generation=8))
    changed = base64.urlsafe_b64encode(more).rstrip(b"=").decode()
    assert changed != payload
    assert refusal(f"{header}.{changed}.{signature}", key) is Refusal.BAD_SIGNATURE


def test_another_algorithm_or_type_is_no_plan(key: Ed25519PrivateKey) -> None:
    kid = key_id(key.public_key())
    body = encode(PLAN)
    unsigned = PyJWS().encode(body, "", "none", {"typ": TYPE, "kid": kid})
    shared = PyJWS().encode(body, "a shared secret of enough bytes to be taken", "HS256", {"typ": TYPE, "kid": kid})
    another = PyJWS().encode(body, key, ALGORITHM, {"typ": "JWT", "kid": kid})
    critical = PyJWS().encode(body, key, ALGORITHM, {"typ": TYPE, "kid": kid, "x": 1})
    for token in (unsigned, shared, another, critical):
        assert refusal(token, key) is Refusal.MALFORMED
    no_plan = PyJWS().encode(json.dumps({"site": "edge-paris"}).encode(), key, ALGORITHM, {"typ": TYPE, "kid": kid})
    assert refusal(no_plan, key) is Refusal.MALFORMED


def test_a_report_comes_back_as_it_was_packed() -> None:
    assert unpacked(packed(REPORT)) == REPORT


def test_a_report_is_refused_that_is_too_large_or_no_report() -> None:
    bomb = gzip.compress(b" " * (MOST_BYTES + 1))
    assert len(bomb) < MOST_PACKED_BYTES
    for data in (bomb, b"x" * (MOST_PACKED_BYTES + 1), b"no gzip", packed(REPORT)[:-9], packed(REPORT) + b"x"):
        with pytest.raises(ReportError):
            unpacked(data)
    with pytest.raises(ReportError):
        unpacked(gzip.compress(b"{}"))


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 250_000)), max_size=60))
def test_no_more_is_let_through_than_the_limit_and_what_was_saved_up(sends: list[tuple[float, int]]) -> None:
    allowance, now_s, sent = Allowance(0.0), 0.0, 0
    for pause_s, size in sends:
        now_s += pause_s
        sent += size if allowance.spend(size, now_s) else 0
        assert sent <= MOST_PACKED_BYTES + now_s * MOST_BYTES_PER_S + 1e-6 * (1 + now_s)


@given(st.text(min_size=1, max_size=60).filter(lambda name: name.isprintable()))
def test_a_certificate_tells_its_site(site: str) -> None:
    assert site_of(identity_of(site)) == site
    assert not site_of(f"spiffe://elsewhere/site/{site}")
