from dataclasses import replace

import pytest
from asked_too_much import problem
from explained_fleet import built, policy

from controller.decision import Proof
from controller.planning.build import without_paths, write
from controller.planning.explaining.clauses import EVERYTHING
from controller.planning.explaining.loosen_room import grown
from controller.planning.explaining.price_words import runner_up_text
from controller.planning.explaining.questions import Questions
from controller.planning.explaining.runner_up import Chosen, RunnerUp, runners_up
from controller.planning.explaining.sacrifice import sacrifices
from controller.planning.explaining.shadow import shadow_prices
from controller.planning.objective import cost_of, prices, shortfall
from controller.planning.pooled.form import PooledForm
from controller.planning.pooled.linear import matrix, minimise
from controller.planning.pooled.programme import lean
from controller.planning.pooled.rounding import rounded
from controller.planning.solve import solve
from controller.planning.verify import verify
from controller.planning.whole.reading import kept
from controller.planning.whole.size import is_small
from policy.resolved import LatencyObjective, Shed
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement, Problem
from tests.rules.build import Fleet, at, plan, stage

SEEDS = range(16)


def priced(asked: Problem) -> Formulation:
    form = write(asked)
    form.add(prices(asked, Plan()))
    return form


def solved(asked: Problem) -> tuple[Plan, int, int]:
    """The cheapest plan, what it costs but for its shortfall, and what is refused in it."""
    form = priced(asked)
    found = solve(form, asked)
    assert found.proof is Proof.OPTIMAL
    assert found.plan is not None
    refused = sum(item.share_permille for item in found.plan.unserved)
    return found.plan, found.cost - shortfall(found.plan, form), refused


@pytest.fixture(scope="module")
def large() -> tuple[Problem, tuple[Exclusion, ...], Plan]:
    """A fleet too large to look at node by node, and a plan for it."""
    found = built(policy(400))
    questions = Questions(found.whole)
    programme = questions.programme(EVERYTHING)
    cost = lean(programme)
    solution = minimise(programme.rows, cost, programme.upper)
    assert solution is not None
    made = rounded(questions.asked(EVERYTHING).form, programme, cost, solution.value)
    assert made is not None
    return found.problem, found.exclusions, made


@pytest.mark.parametrize("seed", SEEDS)
def test_no_plan_costs_less_than_its_pools(seed: int) -> None:
    asked = problem(seed)
    form = priced(asked)
    pooled = PooledForm(form, asked)
    bound = minimise(matrix(pooled), pooled.cost, pooled.upper)
    best = solve(form, asked)
    assert bound is not None
    assert best.proof is Proof.OPTIMAL
    assert bound.cost <= best.cost * (1 + 1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_is_judged_row_by_row_as_the_rules_judge_it(seed: int) -> None:
    asked = problem(seed)
    made, *_ = solved(asked)
    form = write(asked)
    assert kept(form, made)
    fewer = replace(made, instances=made.instances[1:])
    assert kept(form, fewer) is not bool(verify(fewer, asked))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_shadow_price_is_the_difference_that_one_more_node_makes(seed: int) -> None:
    asked = problem(seed)
    made, cost, refused = solved(asked)
    told = {item.pool: item for item in shadow_prices(made, asked, asked, Plan())}
    on = [next(node.pool for node in asked.nodes if node.name == name) for name in made.powered()]
    for pool in {node.pool for node in asked.nodes}:
        _, then, still = solved(grown(asked, pool, 1))
        worth = (max(0, refused - still), cost - then if refused <= still else 0)
        if on.count(pool) < len(asked.nodes_of(pool)):
            assert pool not in told
        elif pool in told:
            assert (told[pool].served_permille, told[pool].saves_millicents_per_hour) == worth
            assert not told[pool].about
        else:
            assert worth[0] <= 0
            assert worth[1] <= 0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_runner_up_costs_what_the_cheapest_plan_without_the_placement_does(seed: int) -> None:
    asked = problem(seed)
    made, cost, _ = solved(asked)
    serving = {asked.option(name).placement for r in made.routes for name in asked.path(r.path).options}
    found = runners_up(Chosen(made, asked, (), Plan()), frozenset(serving))
    assert [item.placement for item in found] == sorted(serving)
    for item in found:
        then, other, _ = solved(without(asked, item.placement))
        worse = short(then, asked) > short(made, asked)
        assert bool(item.gives_up) is worse
        if not worse:
            assert item.extra_millicents_per_hour == other - cost
            assert item.instead is not None
            assert item.instead != item.placement


def without(asked: Problem, placement: Placement) -> Problem:
    options = tuple(option for option in asked.options if option.placement != placement)
    names = {option.id for option in options}
    gone = frozenset(path.id for path in asked.paths if not names.issuperset(path.options))
    return replace(without_paths(asked, gone), options=options)


def short(made: Plan, asked: Problem) -> int:
    return shortfall(made, priced(asked))


def test_a_runner_up_that_may_not_take_over_names_the_clause() -> None:
    asked = two_pools(far_us=60_000)
    (row,) = write(asked).exclusions()
    barred = Exclusion(row.rule, row.reason, row.place, "far", "ocr@paris", "read")
    item = only_runner_up(asked, (barred,))
    assert (item.instead, item.loses_by, item.place) == (None, "latency", at(62))
    assert "60 ms" in item.reason
    clause = "Service ocr: p99 below 50 ms (policy.yaml:62:3)"
    assert runner_up_text(item, asked.policy) == f"nothing instead: ocr would give up more; {clause}: {item.reason}"


def test_a_runner_up_that_is_dearer_loses_by_price() -> None:
    item = only_runner_up(two_pools(far_us=10_000, far_price=9_000), ())
    assert (str(item.instead), item.loses_by, item.extra_millicents_per_hour) == ("rec/fp32@cloud", "price", 8_004)


def test_a_runner_up_that_costs_the_same_loses_by_the_network() -> None:
    item = only_runner_up(two_pools(far_us=10_000), ())
    assert (str(item.instead), item.loses_by, item.extra_millicents_per_hour) == ("rec/fp32@cloud", "network", 0)


def two_pools(far_us: int, far_price: int = 1_000) -> Problem:
    objective = LatencyObjective(9900, 50_000, 300, at(62))
    fleet = Fleet().site("paris").site("lyon").link("lyon", "paris")
    fleet = fleet.pool("edge", "paris", price_millicents_per_hour=1_000)
    fleet = fleet.pool("cloud", "lyon", price_millicents_per_hour=far_price)
    fleet = fleet.service("ocr", stage("read", "rec"), latency=(objective,)).demand("ocr", "paris")
    fleet = fleet.option("near", "rec", "edge").option("far", "rec", "cloud")
    fleet = fleet.path("near", "ocr@paris", "near", latency_us=((9900, 5_000),))
    return fleet.path("far", "ocr@paris", "far", latency_us=((9900, far_us),)).problem


def only_runner_up(asked: Problem, exclusions: tuple[Exclusion, ...]) -> RunnerUp:
    made = plan({("near", "edge-0"): 1}, {"near": 1000})
    (item,) = runners_up(Chosen(made, asked, exclusions, Plan()), frozenset({asked.option("near").placement}))
    return item


def test_on_a_large_fleet_what_takes_over_is_another_placement_and_costs_no_less(
    large: tuple[Problem, tuple[Exclusion, ...], Plan],
) -> None:
    asked, exclusions, made = large
    assert not is_small(asked)
    found = runners_up(Chosen(made, asked, exclusions, Plan()), frozenset(made.placements(asked)))
    assert found
    assert all(item.about for item in found)
    assert all(item.instead != item.placement for item in found)
    assert any(item.instead is not None and item.extra_millicents_per_hour > 0 for item in found)
    assert found == runners_up(Chosen(made, asked, exclusions, Plan()), frozenset(made.placements(asked)))


def test_a_plan_that_is_rounded_from_pools_keeps_every_rule(
    large: tuple[Problem, tuple[Exclusion, ...], Plan],
) -> None:
    asked, _, made = large
    assert verify(made, asked) == ()
    assert not made.unserved
    assert cost_of(made, priced(asked)) >= bound_of(asked)


def bound_of(asked: Problem) -> float:
    pooled = PooledForm(priced(asked), asked)
    found = minimise(matrix(pooled), pooled.cost, pooled.upper)
    assert found is not None
    return found.cost


def two_services(priority: int) -> Problem:
    """Room for one of two services: `ocr` of this priority, and `vad` of priority 5."""
    fleet = Fleet().site("paris").pool("edge", "paris")
    for name, own in (("ocr", priority), ("vad", 5)):
        fleet = fleet.service(name, stage("run", name), degrade=(Shed(1000, at(70)),)).demand(name, "paris")
        services = fleet.problem.policy.services
        ranked = (*services[:-1], replace(services[-1], priority=own))
        fleet = Fleet(replace(fleet.problem, policy=replace(fleet.problem.policy, services=ranked)))
        fleet = fleet.option(name, name, "edge", share_permille=600).path(name, f"{name}@paris", name)
    return fleet.problem


@pytest.mark.parametrize(("priority", "loser", "winner"), [(9, "vad", "ocr"), (2, "ocr", "vad")])
def test_the_lower_priority_gives_way_and_names_who_would_have_to_instead(
    priority: int, loser: str, winner: str
) -> None:
    asked = two_services(priority)
    made, *_ = solved(asked)
    (item,) = sacrifices(made, Questions(asked))
    assert item.service == loser
    assert item.possible
    assert [name for name, _ in item.instead] == [winner]


def test_what_cannot_be_served_whoever_gives_way_is_said_to_be_so() -> None:
    asked = two_services(9)
    narrow = replace(asked, demands=tuple(replace(d, rate_milli_rps=10**9) for d in asked.demands))
    made, *_ = solved(narrow)
    assert {item.possible for item in sacrifices(made, Questions(narrow))} == {False}
