"""Models stand only where somebody may use them, whatever keeps instances: bounds, floors, or that nothing is known."""

from dataclasses import replace
from datetime import timedelta

from world import BUSY, FRANKFURT, LYON, OCR, PARIS, PCI_LINE, POLICY, POOLS, START, World, line, pools_of

from controller.actions import Unload
from controller.decision import Decision, Verdict
from controller.planning.build import build, write
from controller.planning.explaining.part import Part, restricted
from controller.planning.explaining.questions import Questions
from controller.planning.guards import as_it_runs
from controller.planning.recheck import recheck
from controller.planning.whole.reading import Reading
from controller.planning.whole.rows import Rows
from policy.resolved import Policy, Pool, PoolsClause, ReplicaBound, ScaleToZero
from rules.catalogue import STANDING
from rules.kernel.formulation import Count
from rules.kernel.plan import Instances, Plan
from rules.kernel.problem import Problem

BOUND_LINE = 51
HOARSE = replace(POLICY.services[1], name="hoarse", stages=(replace(POLICY.services[1].stages[0], model="det"),))
"""A service of voices that calls a model of card data, too."""


def bounded(model: str, least: int, *, site: str = "", policy: Policy = POLICY) -> Policy:
    """So many instances of a model at least, at a site or anywhere."""
    bound = ReplicaBound(model, site, least, 20, line(BOUND_LINE))
    return replace(policy, scaling=replace(policy.scaling, bounds=(bound,)), revision=f"{least} of {model} at {site}")


def pools_with(decision: Decision, model: str) -> set[str]:
    return {load.placement.pool for load in decision.fleet.loads if load.placement.model == model}


def cheap(name: str) -> Policy:
    """The pools of other sites are dear."""
    pools: tuple[Pool, ...] = tuple(
        each if each.name == name else replace(each, price_millicents_per_hour=100_000) for each in POLICY.pools
    )
    return replace(POLICY, pools=pools)


def test_a_bound_is_met_where_the_model_may_be_used_though_it_is_dearer() -> None:
    decision = World(policy=bounded("det", 6, policy=cheap(LYON))).turn()
    assert decision.verdict is Verdict.CHANGE
    assert sum(load.instances for load in decision.fleet.loads if load.placement.model == "det") == 6
    assert pools_with(decision, "det") == {PARIS, FRANKFURT}


def test_where_another_service_may_use_it_a_shared_model_may_stand() -> None:
    shared = replace(POLICY, services=(*POLICY.services, HOARSE))
    world = World(policy=bounded("det", 1, site=LYON, policy=shared))
    world.rates |= {("hoarse", PARIS): 0, ("hoarse", LYON): 0}
    assert LYON in pools_with(world.turn(), "det")


def test_a_bound_that_only_such_pools_could_meet_has_no_plan_and_both_clauses_are_named() -> None:
    world = World(policy=bounded("det", 1, site=LYON))
    decision = world.rest()
    assert decision.verdict is Verdict.IMPOSSIBLE
    (told,) = [finding for finding in decision.findings if finding.id == "GW2011"]
    assert f"certification (policy.yaml:{PCI_LINE}:1)" in told.message
    assert f"replica_bounds (policy.yaml:{BOUND_LINE}:1)" in told.message
    assert f"have it certified: {LYON} does not hold pci-dss" in told.hint


def test_what_stands_idle_leaves_before_its_evidence_ends_and_until_then_the_plan_is_valid() -> None:
    away = PoolsClause((LYON,), (), (), (), is_barred=True, place=line(13))
    ocr = replace(POLICY.services[0], pools=(away,))
    world = World(policy=bounded("det", 6, policy=replace(cheap(LYON), services=(ocr, POLICY.services[1]))))
    world.certified[LYON] = START + timedelta(days=1)
    decision = world.turn()
    assert LYON in pools_with(decision, "det")
    assert LYON not in pools_of(decision, OCR)
    assert decision.valid_until == world.certified[LYON]
    world.certification_ends(LYON, 45)
    later = world.turn(30)
    assert later.at < world.certified[LYON]
    assert pools_with(later, "det") == {PARIS, FRANKFURT}
    assert sum(load.instances for load in later.fleet.loads if load.placement.model == "det") == 6


def test_where_no_plan_is_left_what_runs_stays_but_for_what_nobody_may_use() -> None:
    world = World(policy=bounded("det", 1, site=LYON), rates=dict(BUSY))
    world.certified[LYON] = START + timedelta(days=1)
    before = world.turn()
    world.certification_ends(LYON, -1)
    decision = world.turn()
    assert decision.verdict is Verdict.IMPOSSIBLE
    protected = {
        load.placement for load in before.fleet.loads if load.placement.model != "vad" and load.placement.pool == LYON
    }
    unloaded = {
        action.placement for wave in decision.transition.waves for action in wave.actions if isinstance(action, Unload)
    }
    assert unloaded == protected
    kept = {load.seat for load in decision.fleet.loads}
    assert kept == {load.seat for load in before.fleet.loads if load.placement not in protected}
    assert world.turn().transition.waves == ()


def test_what_may_serve_for_a_while_yet_does_not_hold_up_what_leaves_at_once() -> None:
    world = World(policy=bounded("det", 1, site=LYON), rates=dict(BUSY))
    world.certified[LYON] = START + timedelta(days=1)
    world.turn()
    world.certification_ends(LYON, -1)
    world.certification_ends(FRANKFURT, 45)
    decision = world.refused_turn(30)
    assert decision.verdict is Verdict.IMPOSSIBLE
    assert pools_of(decision, OCR) == {PARIS, FRANKFURT}, "no longer in Lyon, and in Frankfurt for 15 s yet"
    assert recheck(world.policy, world.snapshot(), decision, world.now) == ()
    world.certification_ends(FRANKFURT, 14)
    against = recheck(world.policy, world.snapshot(), decision, world.now)
    assert {finding.place.line for finding in against if finding.place} == {PCI_LINE}, "sooner than the decision said"


def test_a_model_may_be_kept_warm_for_a_service_that_sleeps() -> None:
    sleeping = replace(POLICY.services[0], scale_to_zero=ScaleToZero(60, 60_000_000, line(12)))
    world = World(policy=bounded("det", 1, policy=replace(POLICY, services=(sleeping, POLICY.services[1]))))
    world.rates |= {(OCR, PARIS): 0, (OCR, LYON): 0}
    for _ in range(12):
        decision = world.turn(10)
    assert OCR in world.state.asleep
    assert pools_with(decision, "det") <= {PARIS, FRANKFURT}
    assert pools_with(decision, "det")


def test_a_plan_that_only_grows_lets_go_of_what_nobody_may_use() -> None:
    world = World(policy=bounded("det", 1, site=LYON))
    world.certified[LYON] = START + timedelta(days=1)
    assert pools_with(world.turn(), "det") == {PARIS, LYON}
    world.certification_ends(LYON, -1)
    kept = {floor.placement.pool for floor in as_it_runs(problem_of(world)) if floor.placement.model == "det"}
    assert kept == {PARIS}


def test_a_part_of_a_problem_knows_who_else_may_use_a_model() -> None:
    world = World(policy=bounded("det", 1, site=LYON, policy=replace(POLICY, services=(*POLICY.services, HOARSE))))
    questions = Questions(problem_of(world))
    alone = restricted(questions, Part(frozenset({OCR}), questions.clauses))
    assert {demand.service for demand in alone.demands} == {OCR}
    assert {option.placement.pool for option in alone.options if option.placement.model == "det"} == set(POOLS)
    assert not [
        row for row in STANDING.exclusions(alone) if problem_of(world).option(row.option).placement.model == "det"
    ]


def test_the_search_of_whole_fleets_counts_what_may_not_stand_as_nothing() -> None:
    problem = problem_of(World())
    rows = Rows(problem, write(problem))
    barred = {problem.option(option).placement for option in rows.never}
    assert {(each.model, each.pool) for each in barred} == {(model, LYON) for model in ("det", "cls", "rec")}
    one = Instances(min(rows.never), f"{LYON}-0", 1)
    broken = [row for row in rows.broken(Reading.of(Plan(instances=(one,)))) if row.rule == STANDING.id]
    assert [row.options for row in broken if isinstance(row, Count)] == [(one.option,)]


def problem_of(world: World) -> Problem:
    """The problem of a world as it is now."""
    return build(world.policy, world.snapshot(), world.state, world.now).problem
