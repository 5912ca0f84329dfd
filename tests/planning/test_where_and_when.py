"""What services, pools and people say of where work may stand, and when: as whole decisions keep it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from world import BUSY, CALM, FRANKFURT, LYON, OCR, PARIS, POLICY, POOLS, START, VAD, World, line, pools_of

from collectors.snapshot import Snapshot
from controller.decision import Decision, State, Verdict
from controller.planning.demand import ask
from policy.clauses import ComplianceProfile, LocalityClause, Scope, SeparationClause
from policy.resolved import (
    LatencyObjective,
    Maintenance,
    Policy,
    PoolsClause,
    Service,
    ThroughputObjective,
    TogetherClause,
    Within,
)
from policy.windows import Window

NOTHING = ComplianceProfile("more", Scope(), (), (), None, None, None, line(60))


def of_service(name: str, **changes: Any) -> Policy:
    services = (replace(each, **changes) if each.name == name else each for each in POLICY.services)
    return replace(POLICY, revision="changed", services=tuple(services))


def of_pool(name: str, **changes: Any) -> Policy:
    pools = (replace(each, **changes) if each.name == name else each for each in POLICY.pools)
    return replace(POLICY, revision="changed", pools=tuple(pools))


def asking(policy: Policy, **clauses: Any) -> Policy:
    return replace(policy, compliance=(*policy.compliance, replace(NOTHING, **clauses)))


def sites_of_ways(decision: Decision, service: str) -> list[tuple[str, ...]]:
    """The pools of each way, which are named as their sites."""
    routes = (routes for routes in decision.fleet.routes if routes.service == service)
    return [tuple(placement.pool for placement in way.placements) for each in routes for way in each.ways]


def test_a_service_runs_only_where_it_says() -> None:
    kept = PoolsClause((LYON, FRANKFURT), (), ("edge-gpu",), (), is_barred=False, place=line(61))
    assert pools_of(World(of_service(VAD, pools=(kept,))).turn(), VAD) == {LYON}
    barred = replace(kept, is_barred=True)
    assert LYON not in pools_of(World(of_service(VAD, pools=(barred,))).turn(), VAD)


def test_a_stage_may_be_kept_to_a_place_by_itself() -> None:
    clause = PoolsClause((), (FRANKFURT,), (), ("read",), is_barred=False, place=line(61))
    decision = World(of_service(OCR, pools=(clause,), availability=None)).turn()
    assert {way[2] for way in sites_of_ways(decision, OCR)} == {FRANKFURT}


def test_stages_that_stay_together_are_never_parted() -> None:
    clause = TogetherClause(("detect", "read"), Within.SITE, line(61))
    world = World(of_service(OCR, together=(clause,)), rates=dict(BUSY))
    for _ in range(3):
        ways = sites_of_ways(world.turn(), OCR)
        assert ways
        assert all(way[0] == way[2] for way in ways)


def test_stages_that_must_stand_apart_and_together_leave_a_service_unserved_and_name_the_clause() -> None:
    clauses = (PoolsClause((), (FRANKFURT,), (), ("read",), is_barred=False, place=line(61)),)
    apart = PoolsClause((), (FRANKFURT,), (), ("detect",), is_barred=True, place=line(62))
    policy = of_service(
        OCR, pools=(*clauses, apart), together=(TogetherClause(("detect", "read"), Within.SITE, line(63)),)
    )
    decision = World(policy).rest()
    assert sites_of_ways(decision, OCR) == []
    told = [finding for finding in decision.findings if finding.id == "GW2011"]
    assert any("policy.yaml:6" in finding.message for finding in told)


def test_data_that_stays_local_is_served_at_its_origin() -> None:
    world = World(
        asking(replace(POLICY, revision="changed"), scope=Scope(services=(VAD,)), locality=LocalityClause(line(61)))
    )
    routes = [each for each in world.turn().fleet.routes if each.service == VAD]
    assert {each.origin for each in routes} == {PARIS, LYON}
    assert all(placement.pool == each.origin for each in routes for way in each.ways for placement in way.placements)


def test_protected_work_runs_in_pools_that_no_other_may_use_and_others_stay_out() -> None:
    card = Scope(classes=("cardholder",))
    policy = asking(of_pool(FRANKFURT, dedicated_to=card), scope=card, separation=SeparationClause(Scope(), line(61)))
    world = World(policy, rates=dict(BUSY))
    for _ in range(3):
        decision = world.turn()
        assert pools_of(decision, OCR) == {FRANKFURT}
        assert FRANKFURT not in pools_of(decision, VAD)


def test_another_service_does_not_move_in_when_a_pool_loses_its_dedication() -> None:
    """The protected one has to leave first: what counts is who may use the pool, not who does."""
    card = Scope(classes=("cardholder",))
    world = World(
        asking(of_pool(FRANKFURT, dedicated_to=card), scope=card, separation=SeparationClause(Scope(), line(61)))
    )
    assert pools_of(world.turn(), OCR) == {FRANKFURT}
    world.policy = asking(replace(POLICY, revision="open"), scope=card, separation=SeparationClause(Scope(), line(61)))
    decision = world.turn()
    assert pools_of(decision, OCR) == set()
    assert decision.transition.waves[0].name == "withdraw"


def test_a_pool_is_left_before_somebody_works_on_it_and_used_again_afterwards() -> None:
    begins_s = int(START.timestamp()) + 300
    work = Maintenance("disks", (PARIS,), (), Window(begins_s, begins_s + 600), line(61))
    world = World(replace(POLICY, revision="changed", maintenance=(work,)))
    seen = {}
    for after_s in (-290, -100, -30, -15, -5, 5, 300, 595, 605, 700, 800):
        decision = world.turn(begins_s + after_s - int(world.now.timestamp()))
        seen[after_s] = pools_of(decision, VAD) | pools_of(decision, OCR)
        if decision.valid_until is not None and after_s < -POLICY.scaling.evidence_lead_s:
            assert decision.valid_until.timestamp() == begins_s
    used = [after_s for after_s, pools in seen.items() if PARIS in pools]
    assert used[:3] == [-290, -100, -30]
    assert not any(-POLICY.scaling.evidence_lead_s <= after_s < 600 for after_s in used)
    assert 800 in used


def test_in_a_freeze_nothing_that_runs_is_taken_away_and_more_may_come() -> None:
    now_s = int(START.timestamp())
    frozen = replace(POLICY.scaling, freezes=(Window(now_s + 90, now_s + 900),))
    world = World(replace(POLICY, revision="changed", scaling=frozen), rates=dict(BUSY))
    before = world.turn()
    world.rates = dict(CALM)
    calm = [world.turn(60) for _ in range(8)]
    assert {decision.verdict for decision in calm[1:]} == {Verdict.KEEP}
    world.rates = {key: 20 * rate for key, rate in CALM.items()}
    grown = world.turn(60)
    assert count(grown) > count(before)
    world.rates = dict(CALM)
    world.now = START + timedelta(seconds=900)
    assert any(count(world.turn(60)) < count(grown) for _ in range(5))


def count(decision: Decision) -> int:
    return sum(load.instances for load in decision.fleet.loads)


def test_a_stage_that_promises_more_than_the_edge_can_hold_goes_to_the_cloud() -> None:
    whole = LatencyObjective(9900, 1_200_000, 300, line(61))
    quick = LatencyObjective(9900, 300_000, 300, line(62), stage="detect")
    decision = World(of_service(OCR, latency=(whole, quick), availability=None)).turn()
    ways = sites_of_ways(decision, OCR)
    assert ways
    assert {way[0] for way in ways} == {FRANKFURT}
    slow = World(of_service(OCR, latency=(whole, replace(quick, below_us=1_100_000)), availability=None)).turn()
    assert {way[0] for way in sites_of_ways(slow, OCR)} != {FRANKFURT}


def asked(service: Service) -> dict[str, int]:
    policy = replace(POLICY, services=(service,), scaling=replace(POLICY.scaling, headroom_permille=0))
    return {
        demand.origin: demand.rate_milli_rps for demand in ask(policy, Snapshot(START), State().rates, START).demands
    }


BELOW_US = 500_000
ONE = replace(
    POLICY.service(VAD), expected_rate_milli_rps=1_000, latency=(LatencyObjective(9900, BELOW_US, 300, line(61)),)
)


@pytest.mark.parametrize(
    ("objective", "planned"),
    [
        (ThroughputObjective(8_000, 0, "", line(1)), {PARIS: 4_000, LYON: 4_000}),
        (ThroughputObjective(8_000, 0, PARIS, line(1)), {PARIS: 8_000, LYON: 500}),
        (ThroughputObjective(8_000, 4, "", line(1)), {PARIS: 4_000, LYON: 4_000}),
        (ThroughputObjective(8_000, 5, "", line(1)), {PARIS: 5_000, LYON: 5_000}),
        (ThroughputObjective(100, 3, LYON, line(1)), {PARIS: 500, LYON: 6_000}),
        (ThroughputObjective(100, 0, "", line(1)), {PARIS: 500, LYON: 500}),
    ],
)
def test_what_is_guaranteed_is_planned_for_and_a_burst_within_its_objective(
    objective: ThroughputObjective, planned: dict[str, int]
) -> None:
    assert asked(replace(ONE, throughput=(objective,))) == planned


def test_a_burst_without_an_objective_is_answered_within_a_second() -> None:
    burst = ThroughputObjective(0, 7, PARIS, line(1))
    of_a_stage = LatencyObjective(9900, 10_000, 300, line(61), stage="listen")
    assert asked(replace(ONE, latency=(of_a_stage,), throughput=(burst,))) == {PARIS: 7_000, LYON: 500}


def test_more_than_is_guaranteed_is_planned_for_when_more_arrives() -> None:
    world = World(of_service(VAD, throughput=(ThroughputObjective(1_000, 0, "", line(1)),)))
    assert {f.rate_milli_rps for f in world.turn().forecasts if f.service == VAD} == {7_200}


def test_every_pool_of_this_fleet_is_named_as_its_site() -> None:
    assert all(POLICY.pool(name).site == name for name in POOLS)
