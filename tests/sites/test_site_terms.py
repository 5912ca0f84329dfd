"""What a decision lets sites do by themselves: until when, how far, and without whom."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from collectors.evidence.records import Evidence
from collectors.snapshot import CutOff, Reading, Server, ServerState, Snapshot
from controller.decision import Decision, State
from controller.documents import observe
from controller.fleet import Fleet, Load, RouteSet, Way
from controller.planning.build import build
from controller.planning.decide import decide
from controller.sites.hub.envelopes import envelopes
from controller.sites.hub.question import asked
from controller.sites.hub.terms import Terms, terms_of
from controller.sites.site_plan import Envelope, SitePlan
from policy.clauses import Scope
from policy.resolved import Policy, PoolsClause, ReplicaBound
from rules.kernel.plan import Degraded, Instances, Plan
from rules.kernel.problem import Placement
from tests.planning.world import FRANKFURT, LYON, OCR, PARIS, POLICY, START, VAD, line, pci, pools_of

ENDS = START + timedelta(days=9)
SOONER = START + timedelta(days=2)
BOTH = (pci(PARIS, ENDS), pci(FRANKFURT, ENDS))
EMPTY = SitePlan(PARIS, 0, START, START)


def seen(policy: Policy, evidence: tuple[Evidence, ...], *, by_node: bool = True) -> Snapshot:
    """Every server answers and holds nothing; each node has one, or each pool."""
    nothing = Reading(ServerState(()), START, "test")
    servers = tuple(
        Server(pool.name, nothing, node) for pool in policy.pools for node in (pool.node_names() if by_node else ("",))
    )
    return replace(observe(policy, evidence, START), servers=servers)


def decided(policy: Policy, snapshot: Snapshot) -> Decision:
    return decide(policy, snapshot, State(), START)


def terms(
    policy: Policy = POLICY, evidence: tuple[Evidence, ...] = BOTH, *, by_node: bool = True
) -> tuple[Decision, Terms]:
    snapshot = seen(policy, evidence, by_node=by_node)
    decision = decided(policy, snapshot)
    return decision, terms_of(policy, snapshot, decision, START, (PARIS, FRANKFURT, LYON))


def test_what_is_protected_ends_with_its_evidence_and_nothing_else_does() -> None:
    decision, found = terms(evidence=(pci(PARIS, SOONER), pci(FRANKFURT, ENDS)))
    ends = {item.load.placement: item.until for item in map(found.load, decision.fleet.loads)}
    assert ends[Placement("vad", "fp32", PARIS)] is None
    assert ends[Placement("det", "fp32", PARIS)] == SOONER
    assert ends[Placement("det", "fp32", FRANKFURT)] == ENDS
    routes = {(item.routes.service, item.routes.origin): item.until for item in map(found.route, decision.fleet.routes)}
    assert routes == {(OCR, PARIS): ENDS, (OCR, LYON): ENDS, (VAD, PARIS): None, (VAD, LYON): None}


def test_what_stands_idle_ends_with_the_last_that_lets_anybody_use_it() -> None:
    away = PoolsClause((LYON,), (), (), (), is_barred=True, place=line(13))
    bounds = tuple(ReplicaBound(model, LYON, 1, 2, line(51)) for model in ("det", "vad"))
    services = (replace(POLICY.services[0], pools=(away,)), POLICY.services[1])
    policy = replace(POLICY, services=services, scaling=replace(POLICY.scaling, bounds=bounds))
    decision, found = terms(policy, (*BOTH, pci(LYON, SOONER)))
    ends = {item.load.placement: item.until for item in map(found.load, decision.fleet.loads)}
    assert ends[Placement("det", "fp32", LYON)] == SOONER
    assert {until for placement, until in ends.items() if placement.model == "vad"} == {None}


def test_a_sites_plan_has_its_own_loads_the_routes_from_it_and_what_gateways_know() -> None:
    decision, found = terms()
    plan = found.of(PARIS, decision.fleet, EMPTY)
    assert {item.load for item in plan.loads} == {load for load in decision.fleet.loads if load.placement.pool == PARIS}
    assert [item.routes.service for item in plan.routes] == [VAD, OCR]
    assert {item.routes.origin for item in (*plan.routes, *plan.fallbacks)} == {PARIS}
    assert [(service.name, service.stages) for service in plan.services] == [
        (VAD, ("listen",)),
        (OCR, ("detect", "orient", "read")),
    ]
    assert all(item.memory_mib and item.share_permille and item.capacity_milli_rps for item in plan.loads)


def test_a_demand_that_others_serve_falls_back_on_what_its_site_has() -> None:
    decision, found = terms()
    away = {
        item.service
        for item in decision.fleet.routes
        if item.origin == PARIS
        for way in item.ways
        if any(p.pool != PARIS for p in way.placements)
    }
    assert away == {OCR}
    (fallback,) = found.of(PARIS, decision.fleet, EMPTY).fallbacks
    (way,) = fallback.routes.ways
    assert {placement.pool for placement in way.placements} == {PARIS}
    assert 0 < way.weight_permille <= 1000
    assert fallback.until == ENDS
    assert fallback.routes.nodes_of(way.placements[0]) == ((f"{PARIS}-0", 1),)


def test_nothing_falls_back_on_a_site_that_may_not_serve_it() -> None:
    decision, found = terms(evidence=(pci(FRANKFURT, ENDS),))
    assert decision.fleet.loads
    assert found.of(PARIS, decision.fleet, EMPTY).fallbacks == ()


def test_nothing_falls_back_on_a_pool_that_is_kept_for_others() -> None:
    near = PoolsClause((FRANKFURT,), (), (), (), is_barred=True, place=line(13))
    ocr = replace(POLICY.services[0], availability=None)
    other = replace(ocr, name="other", pools=(near,))
    paris = replace(POLICY.pools[0], dedicated_to=Scope(services=("other", VAD)))
    policy = replace(POLICY, services=(ocr, POLICY.services[1], other), pools=(paris, *POLICY.pools[1:]))
    decision, found = terms(policy)
    assert models_in_paris(decision) >= {"det", "cls", "rec"}
    assert pools_of(decision, OCR) == {FRANKFURT}
    assert found.of(PARIS, decision.fleet, EMPTY).fallbacks == ()


def test_nothing_falls_back_on_a_pool_that_its_service_bars() -> None:
    ocr = replace(POLICY.services[0], pools=(PoolsClause((PARIS,), (), (), (), is_barred=True, place=line(13)),))
    bounds = tuple(ReplicaBound(model, PARIS, 1, 2, line(51)) for model in ("det", "cls", "rec"))
    scaling = replace(POLICY.scaling, bounds=bounds)
    decision, found = terms(replace(POLICY, services=(ocr, POLICY.services[1]), scaling=scaling))
    assert models_in_paris(decision) >= {"det", "cls", "rec"}
    assert pools_of(decision, OCR) == {FRANKFURT}
    assert found.of(PARIS, decision.fleet, EMPTY).fallbacks == ()


@pytest.mark.parametrize(("level", "falls_back"), [(0, False), (1, True)])
def test_a_demand_falls_back_on_a_lighter_variant_once_its_service_has_taken_that_step(
    level: int, *, falls_back: bool
) -> None:
    snapshot = seen(POLICY, BOTH)
    options = {option.placement: option.id for option in build(POLICY, snapshot, State(), START).whole.options}
    light, whole = Placement("vad", "half", PARIS), Placement("vad", "fp32", FRANKFURT)
    instances = tuple(Instances(options[each], f"{each.pool}-0", 1) for each in (light, whole))
    loads = tuple(Load(each, 1, 1, 0, f"{each.pool}-0") for each in (light, whole))
    routes = (RouteSet(VAD, PARIS, (Way(1000, (whole,)),)),)
    decision = replace(
        decided(POLICY, snapshot),
        plan=Plan(instances, degraded=(Degraded(VAD, level),) if level else ()),
        fleet=Fleet(loads, routes),
    )
    found = terms_of(POLICY, snapshot, decision, START, (PARIS, FRANKFURT)).fallbacks
    assert [way.placements for item in found for way in item.ways] == ([(light,)] if falls_back else [])


def models_in_paris(decision: Decision) -> set[str]:
    return {load.placement.model for load in decision.fleet.loads if load.placement.pool == PARIS}


def test_envelopes_begin_with_the_plan_and_fit_together() -> None:
    decision, found = terms()
    used: Counter[str] = Counter()
    shares: Counter[str] = Counter()
    for item in map(found.load, decision.fleet.loads):
        assert item.envelope.least == item.load.instances <= item.envelope.most
        used[item.load.node] += item.envelope.most * item.memory_mib
        shares[item.load.node] += item.envelope.most * item.share_permille
    pools = {node: pool for pool in POLICY.pools for node in pool.node_names()}
    assert any(envelope.most > envelope.least for envelope in found.envelopes.values())
    assert all(mib <= pools[node].memory_mib for node, mib in used.items())
    assert all(share <= pools[node].share_permille for node, share in shares.items())


def test_envelopes_keep_replica_bounds_over_all_sites() -> None:
    bound = ReplicaBound("cls", "", 1, 3, line(70))
    policy = replace(POLICY, scaling=replace(POLICY.scaling, bounds=(bound,)))
    decision, found = terms(policy)
    cls = [envelope for (placement, _), envelope in found.envelopes.items() if placement.model == "cls"]
    assert sum(envelope.least for envelope in cls) == 2
    assert sum(envelope.most for envelope in cls) == 3
    assert decision.fleet.loads


def test_a_server_for_a_whole_pool_is_not_scaled_on_the_spot() -> None:
    decision, found = terms(by_node=False)
    assert all(load.node == "" for load in decision.fleet.loads)
    assert all(envelope.most == envelope.least for envelope in found.envelopes.values())


def test_a_load_on_its_way_out_is_not_scaled() -> None:
    decision, found = terms()
    load = decision.fleet.loads[0]
    other = replace(load, instances=load.instances + 1)
    assert found.load(other).envelope == Envelope(other.instances, other.instances)
    strange = Load(Placement("vad", "fp32", FRANKFURT), 1, 1, 0, f"{FRANKFURT}-0")
    assert found.load(strange).envelope == Envelope(1, 1)
    assert found.load(strange).memory_mib > 0


def test_envelopes_are_of_the_sites_that_are_asked_for() -> None:
    snapshot = seen(POLICY, BOTH)
    decision = decided(POLICY, snapshot)
    only = envelopes(asked(POLICY, snapshot, decision, START), decision.fleet.loads, (PARIS,))
    assert {placement.pool for placement, _ in only} == {PARIS}


@pytest.mark.parametrize(("away_permille", "planned"), [(0, None), (300, 300), (1000, 1000)])
def test_of_a_site_that_is_cut_off_only_what_goes_to_others_is_planned(away_permille: int, planned: int | None) -> None:
    snapshot = seen(POLICY, BOTH)
    whole = {(f.service, f.origin): f.rate_milli_rps for f in decided(POLICY, snapshot).forecasts}
    servers = tuple(
        replace(server, reading=Reading(None, None, "test")) if server.pool == PARIS else server
        for server in snapshot.servers
    )
    cut_off = CutOff(PARIS, START, ((VAD, away_permille), (OCR, 0)))
    decision = decided(POLICY, replace(snapshot, servers=servers, cut_off=(cut_off,)))
    rates = {(f.service, f.origin): f.rate_milli_rps for f in decision.forecasts}
    expected = None if planned is None else whole[VAD, PARIS] * planned // 1000
    assert rates.get((VAD, PARIS)) == expected
    assert (OCR, PARIS) not in rates
    assert rates[VAD, LYON] == whole[VAD, LYON]
    assert PARIS not in {load.placement.pool for load in decision.fleet.loads}
    assert {item.origin for item in decision.fleet.routes if item.service == OCR} == {LYON}
