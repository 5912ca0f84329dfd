"""The look before acting: what a decision would load, or send requests to, is judged by the evidence of that moment."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from world import BUSY, FRANKFURT, LYON, OCR, PARIS, PCI_LINE, POLICY, START, World, line, pools_of

from collectors.snapshot import CutOff
from controller.actions import SetLoad, SetRoutes, Transition, Wave
from controller.decision import Decision
from controller.fleet import Fleet, RouteSet
from controller.planning.pricing import path_id
from controller.planning.recheck import recheck
from controller.planning.transitions.duration import AHEAD
from policy.findings import Finding
from policy.resolved import Policy, PoolsClause, ReplicaBound
from rules.kernel.plan import Route
from rules.kernel.problem import Placement

DET = Placement("det", "fp32", LYON)


def looked(world: World, decision: Decision, followed: tuple[RouteSet, ...] = ()) -> tuple[Finding, ...]:
    return recheck(world.policy, world.snapshot(), decision, world.now, followed)


def keeping_idle() -> World:
    """A bound asks for more of a model than is needed, which is cheapest in Lyon, and no request may go there."""
    away = PoolsClause((LYON,), (), (), (), is_barred=True, place=line(13))
    pools = tuple(
        pool if pool.name == LYON else replace(pool, price_millicents_per_hour=100_000) for pool in POLICY.pools
    )
    bounds = (ReplicaBound("det", "", 6, 20, line(51)),)
    policy = replace(
        POLICY,
        services=(replace(POLICY.services[0], pools=(away,)), POLICY.services[1]),
        pools=pools,
        scaling=replace(POLICY.scaling, bounds=bounds),
    )
    world = World(policy=policy)
    world.certified[LYON] = START + timedelta(days=1)
    return world


def loads(decision: Decision, wave: str) -> set[Placement]:
    waves = (each for each in decision.transition.waves if each.name == wave)
    return {action.load.placement for each in waves for action in each.actions if isinstance(action, SetLoad)}


def test_a_decision_is_not_carried_out_when_its_evidence_has_gone_meanwhile() -> None:
    world = World(rates=dict(BUSY))
    decision = world.turn()
    assert recheck(world.policy, world.snapshot(), decision, world.now) == ()
    world.certified.pop(PARIS)
    found = recheck(world.policy, world.snapshot(), decision, world.now)
    assert {finding.place.line for finding in found if finding.place} == {PCI_LINE}


def test_a_decision_is_not_carried_out_on_a_server_that_has_gone_meanwhile() -> None:
    world = World()
    decision = world.turn()
    world.servers[FRANKFURT] = None
    assert "GW2021" in {finding.id for finding in recheck(world.policy, world.snapshot(), decision, world.now)}


def test_a_change_of_the_policy_makes_a_decision_void() -> None:
    world = World()
    decision = world.turn()
    world.budget(450_000)
    assert "GW2020" in {finding.id for finding in recheck(world.policy, world.snapshot(), decision, world.now)}


def test_nothing_is_loaded_where_nobody_may_use_it_any_more() -> None:
    world = keeping_idle()
    decision = world.refused_turn()
    assert DET in loads(decision, "grow")
    assert LYON not in pools_of(decision, OCR)
    assert looked(world, decision) == ()
    world.certification_ends(LYON, -1)
    (told,) = looked(world, decision)
    assert (told.id, told.place) == ("GW1087", line(PCI_LINE))
    assert told.subject.startswith(str(DET))


def test_a_policy_that_has_no_more_what_is_planned_is_told_of() -> None:
    world = keeping_idle()
    decision = world.refused_turn()
    decision = replace(decision, plan=replace(decision.plan, routes=()))  # which would tell of most of it
    assert looked(world, decision) == ()
    world.policy = replace(world.policy, pools=tuple(each for each in world.policy.pools if each.name != LYON))
    assert [finding.id for finding in looked(world, decision)] == ["GW2020"]


def shortened(policy: Policy) -> Policy:
    """One stage less, whose model another service calls."""
    pipeline, *others = policy.services
    copy = replace(pipeline, name="copy", origins=(), availability=None)
    return replace(policy, services=(replace(pipeline, stages=pipeline.stages[:-1]), *others, copy))


def turned_round(policy: Policy) -> Policy:
    """The models behind the stages in another order."""
    pipeline, *others = policy.services
    pairs = zip(pipeline.stages, pipeline.stages[::-1], strict=True)
    stages = tuple(replace(stage, model=other.model) for stage, other in pairs)
    return replace(policy, services=(replace(pipeline, stages=stages), *others))


def without_links(policy: Policy) -> Policy:
    """Nor anything that asks where data goes."""
    return replace(policy, links=(), compliance=())


@pytest.mark.parametrize("changed", [shortened, turned_round, without_links])
@pytest.mark.parametrize("is_followed", [False, True])
def test_ways_that_another_policy_has_no_more_are_told_of(
    changed: Callable[[Policy], Policy], *, is_followed: bool
) -> None:
    world = World(rates={(OCR, PARIS): 20_000, (OCR, LYON): 12_000})
    first = world.turn()
    decision = world.turn()
    assert FRANKFURT in pools_of(decision, OCR)
    assert looked(world, decision) == ()
    world.policy = changed(world.policy)
    routes = tuple(
        replace(each, ways=tuple(replace(way, placements=way.placements[::-1]) for way in each.ways))
        for each in first.fleet.routes
    )
    assert "GW2020" in {told.id for told in looked(world, decision, routes if is_followed else ())}


def test_an_encoding_that_no_stage_declares_any_more_is_told_of() -> None:
    world = World(rates=dict(BUSY))
    decision = world.turn()

    def packed(route: Route) -> Route:
        demand, options = route.path.split(": ")
        taken = tuple(options.split(" | "))
        return replace(route, path=path_id(demand, taken, ("gzip",) * len(taken)))

    routes = tuple(
        replace(each, ways=tuple(replace(way, encodings=("gzip",) * len(way.placements)) for way in each.ways))
        for each in decision.fleet.routes
    )
    plan = replace(decision.plan, routes=tuple(map(packed, decision.plan.routes)))
    decision = replace(decision, plan=plan, fleet=replace(decision.fleet, routes=routes))
    assert {told.id for told in looked(world, decision)} == {"GW2020"}


def test_evidence_that_ends_before_the_decision_said_is_too_short_also_for_what_stands_idle() -> None:
    world = keeping_idle()
    decision = world.refused_turn()
    world.certification_ends(LYON, POLICY.scaling.evidence_lead_s)
    assert looked(world, decision) == ()
    world.certification_ends(LYON, POLICY.scaling.evidence_lead_s - 1)
    assert {told.id for told in looked(world, decision)} == {"GW1087"}


def test_what_stands_already_is_a_matter_of_the_next_turn() -> None:
    world = keeping_idle()
    world.turn()
    world.rates[OCR, PARIS] *= 4
    decision = world.refused_turn()
    assert DET in {load.placement for load in decision.fleet.loads}
    assert decision.transition.waves
    assert DET not in loads(decision, "grow")
    world.certification_ends(LYON, -1)
    assert looked(world, decision) == ()
    assert DET not in {load.placement for load in world.refused_turn().fleet.loads}


def through(decision: Decision, *waves: Wave) -> Decision:
    """The decision with waves before its own, which take a minute more."""
    way = Transition((*waves, *decision.transition.waves), decision.transition.duration_us + 60_000_000)
    return replace(decision, transition=way)


def in_use_at_first() -> tuple[World, Decision, Decision]:
    """A decision by which requests go to Lyon, and one by which they leave before its evidence ends."""
    world = World(certified={LYON: START + timedelta(days=1), PARIS: START + timedelta(days=1)})
    world.policy = replace(POLICY, pools=tuple(pool for pool in POLICY.pools if pool.name != FRANKFURT))
    first = world.turn()
    assert LYON in pools_of(first, OCR)
    world.certification_ends(LYON, POLICY.scaling.evidence_lead_s - 1)
    then = world.refused_turn(0)
    assert LYON not in pools_of(then, OCR)
    return world, first, then


def test_what_is_loaded_on_the_way_has_to_be_allowed_until_the_way_is_done() -> None:
    world, first, decision = in_use_at_first()
    (standing,) = (load for load in first.fleet.loads if load.placement == DET)
    stone = SetLoad(replace(standing, instances=standing.instances + 1))
    longer = through(decision, Wave("grow", (stone,)))
    until_done_s = -(-longer.transition.duration_us // 1_000_000)
    world.certification_ends(LYON, until_done_s)
    assert looked(world, longer) == ()
    world.certification_ends(LYON, until_done_s - 1)
    assert {told.id for told in looked(world, longer)} == {"GW1087"}
    assert looked(world, through(decision, Wave("shrink", (SetLoad(standing),)))) == ()


def test_requests_take_no_way_that_is_allowed_no_longer_before_they_take_that_of_the_plan() -> None:
    world, first, decision = in_use_at_first()
    longer = through(decision, Wave("route", (SetRoutes(first.fleet.routes),)))
    until_done_s = -(-longer.transition.duration_us // 1_000_000)
    world.certification_ends(LYON, until_done_s)
    assert looked(world, longer) == ()
    world.certification_ends(LYON, until_done_s - 1)
    assert {(told.id, told.place) for told in looked(world, longer)} == {("GW1007", line(PCI_LINE))}
    assert looked(world, decision) == ()


def loading_first() -> tuple[World, Fleet, Decision]:
    """What runs, and a decision by which requests leave Lyon once something is loaded in Paris."""
    world, first, decision = in_use_at_first()
    standing = next(load for load in first.fleet.loads if load.placement.pool == PARIS)
    more = SetLoad(replace(standing, instances=standing.instances + 1))
    world.certification_ends(LYON, 100)
    return world, first.fleet, through(decision, Wave("grow", (more,)))


def test_where_requests_may_go_no_longer_they_are_not_left_until_something_is_loaded() -> None:
    world, running, decision = loading_first()
    assert looked(world, decision, running.routes) == ()
    world.certification_ends(LYON, -1)
    assert {(told.id, told.place) for told in looked(world, decision, running.routes)} == {("GW1007", line(PCI_LINE))}
    at_once = world.refused_turn(0)
    assert at_once.transition.waves[0].name == "withdraw"
    assert looked(world, at_once, running.routes) == ()


def test_what_a_site_does_by_itself_that_brings_nothing_about_is_not_waited_for() -> None:
    world, running, decision = loading_first()
    world.certification_ends(LYON, -1)
    world.stuck = (LYON,)
    assert {told.subject.split("/")[0] for told in looked(world, decision, running.routes)} <= {f"{OCR}@{PARIS}"}
    world.stuck = (PARIS, LYON)
    assert looked(world, decision, running.routes) == ()


def test_what_is_against_the_plan_is_told_though_a_site_of_it_is_cut_off() -> None:
    world, _, _ = in_use_at_first()
    world.certification_ends(LYON, 900)
    world.rates = {demand: 2 * rate for demand, rate in world.rates.items()}
    decision = world.refused_turn(0)
    assert pools_of(decision, OCR) == {PARIS, LYON}
    away = replace(world.snapshot(), cut_off=(CutOff(LYON, world.now),))
    assert {told.id for told in recheck(world.policy, away, decision, world.now)} >= {"GW2020"}
    world.certification_ends(PARIS, -1)
    away = replace(away, evidence=world.snapshot().evidence)
    assert "GW1007" in {told.id for told in recheck(world.policy, away, decision, world.now)}


def leaving_lyon(*, is_late: bool) -> tuple[World, Decision]:
    """A decision by which requests leave Lyon, whose evidence lasts for longer than that is predicted to take."""
    world, first, _ = in_use_at_first()
    world.state = replace(world.state, fleet=first.fleet, plan=first.plan, is_late=is_late)
    world.rates = {demand: 2 * rate for demand, rate in world.rates.items()}
    world.certification_ends(LYON, AHEAD * POLICY.scaling.interval_s - 1)
    return world, world.refused_turn(0)


def test_requests_leave_at_once_what_the_way_before_was_given_up_for() -> None:
    world, as_predicted = leaving_lyon(is_late=False)
    (grow, *_) = as_predicted.transition.waves
    assert grow.name == "grow", "what takes over is loaded first"
    world, at_once = leaving_lyon(is_late=True)
    assert at_once.transition.waves[0].name == "withdraw"
    assert not at_once.state.is_late
    assert looked(world, at_once, as_predicted.fleet.routes) == ()
    (routes,) = (each.routes for each in at_once.transition.waves[0].actions if isinstance(each, SetRoutes))
    ways = (way for each in routes if each.service == OCR for way in each.ways)
    assert LYON not in {placement.pool for way in ways for placement in way.placements}
