from dataclasses import replace
from datetime import timedelta

import pytest

from collectors.snapshot import Freshness
from controller.decision import State
from controller.documents import observe
from controller.planning.decide import decide
from policy.resolved import ScaleToZero
from tests.planning.world import FRANKFURT, OCR, PARIS, POLICY, START, VAD, line, pci

EVIDENCE = tuple(pci(site, START + timedelta(days=9)) for site in (PARIS, FRANKFURT))
SNAPSHOT = observe(POLICY, EVIDENCE, START)


def test_every_server_is_present_and_holds_nothing() -> None:
    assert {server.pool for server in SNAPSHOT.servers} == {pool.name for pool in POLICY.pools}
    for server in SNAPSHOT.servers:
        assert server.reading.freshness(START, timedelta()) is Freshness.FRESH
        assert server.reading.value.models == ()


def test_no_rate_is_claimed_to_have_been_measured() -> None:
    assert all(item.reading.value is None for item in SNAPSHOT.offered)


def test_services_are_planned_for_at_their_expected_rates_with_headroom_and_without_complaint() -> None:
    decision = decide(POLICY, SNAPSHOT, State(), START)
    planned = {(item.service, item.origin): item.rate_milli_rps for item in decision.forecasts}
    assert planned[OCR, PARIS] == 1440
    assert planned[VAD, PARIS] == 7200
    assert [finding.id for finding in decision.findings if finding.id == "GW2001"] == []


@pytest.mark.parametrize(("expected_milli_rps", "asleep"), [(0, (VAD,)), (1, ())])
def test_what_scales_to_zero_sleeps_where_nobody_is_expected_to_ask(
    expected_milli_rps: int, asleep: tuple[str, ...]
) -> None:
    clause = ScaleToZero(600, 20_000_000, line(60))
    quiet = replace(POLICY.service(VAD), scale_to_zero=clause, expected_rate_milli_rps=expected_milli_rps)
    policy = replace(POLICY, services=(POLICY.service(OCR), quiet))
    decision = decide(policy, observe(policy, EVIDENCE, START), State(), START)
    assert decision.state.asleep == asleep
    assert ("vad" in {load.placement.model for load in decision.fleet.loads}) == (not asleep)


def test_the_evidence_counts_as_it_stands() -> None:
    assert decide(POLICY, SNAPSHOT, State(), START).valid_until == START + timedelta(days=9)
