import re
from dataclasses import replace
from itertools import combinations

import pytest
from asked_too_much import problem

from controller.decision import Proof
from controller.planning.explaining.clauses import Clause, only
from controller.planning.explaining.conflict import clashes
from controller.planning.explaining.explanation import Loosened
from controller.planning.explaining.loosen_room import grown
from controller.planning.explaining.questions import Questions
from controller.planning.explaining.relaxation import Relaxation, relaxations, relaxations_of_all
from controller.planning.explaining.remedy import REMEDIES
from controller.planning.explaining.shortfall_words import conflict_finding
from controller.planning.solve import solve
from policy.resolved import AvailabilityObjective, CostObjective, LatencyObjective, ScaleToZero
from rules.catalogue import EXCLUDING
from rules.kernel.problem import Problem
from tests.rules.build import Fleet, at, stage

SEEDS = range(24)


def holds(asked: Problem, clauses: frozenset[Clause]) -> bool:
    """Whether these clauses can hold together, by CP-SAT on the nodes alone."""
    question = Questions(asked).asked(only(clauses))
    proof = solve(question.form, question.problem).proof
    assert proof is not Proof.UNDECIDED
    return proof is not Proof.INFEASIBLE


def whole_holds(asked: Problem) -> bool:
    return holds(asked, Questions(asked).clauses)


def test_the_generator_asks_too_much_often_but_not_always() -> None:
    answers = [whole_holds(problem(seed)) for seed in SEEDS]
    assert 4 <= sum(answers) <= len(answers) - 8


@pytest.mark.parametrize("seed", SEEDS)
def test_a_question_is_answered_as_cp_sat_answers_it_on_the_nodes(seed: int) -> None:
    asked = problem(seed)
    for kept in some_subsets(asked):
        assert Questions(asked).possible(only(kept)) is holds(asked, kept)


@pytest.mark.parametrize("seed", range(8))
def test_pools_whose_nodes_are_all_gone_leave_questions_that_can_be_answered(seed: int) -> None:
    asked = problem(seed)
    for pool in sorted({node.pool for node in asked.nodes}):
        without = replace(asked, nodes=tuple(node for node in asked.nodes if node.pool != pool))
        assert bool(clashes(Questions(without)).found) is not whole_holds(without)


def some_subsets(asked: Problem) -> list[frozenset[Clause]]:
    every = sorted(Questions(asked).clauses)
    return [frozenset(every) - set(dropped) for size in range(3) for dropped in combinations(every, size)][:12]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_conflict_cannot_hold_and_without_any_one_member_it_can(seed: int) -> None:
    asked = problem(seed)
    found = clashes(Questions(asked)).found
    assert bool(found) is not whole_holds(asked)
    for conflict in found:
        assert conflict.proven
        members = frozenset(conflict.clauses)
        part = asked if len(conflict.services) > 1 else narrowed(asked, conflict.services)
        assert not holds(part, members)
        for member in members:
            assert holds(part, members - {member})


def narrowed(asked: Problem, services: tuple[str, ...]) -> Problem:
    demands = tuple(demand for demand in asked.demands if demand.service in services)
    names = {demand.id for demand in demands}
    kept = tuple(service for service in asked.policy.services if service.name in services)
    return replace(
        asked,
        policy=replace(asked.policy, services=kept),
        demands=demands,
        paths=tuple(path for path in asked.paths if path.demand in names),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_no_subset_of_a_conflict_is_a_conflict(seed: int) -> None:
    asked = problem(seed)
    every = Questions(asked).clauses
    for conflict in clashes(Questions(asked)).found:
        smaller = [set(c) for size in range(len(conflict.clauses)) for c in combinations(conflict.clauses, size)]
        part = narrowed(asked, conflict.services)
        assert all(holds(part, frozenset(subset)) for subset in smaller)
        assert set(conflict.clauses) <= every


def loosened(asked: Problem, item: Relaxation, by: int) -> Problem | None:
    """The problem with a clause's own number in the policy changed; None for what has no number."""
    policy = asked.policy
    if item.clause.rule == "budget":
        ceilings = tuple(replace(c, millicents_per_hour=c.millicents_per_hour + by) for c in policy.cost.ceilings)
        return replace(asked, policy=replace(policy, cost=replace(policy.cost, ceilings=ceilings)))
    if item.clause.rule in {"device_share", "device_memory"}:
        return grown(asked, item.what.rpartition(" ")[2], by)
    services = []
    for service in policy.services:
        promised = service.availability
        if promised and promised.place == item.clause.place:
            services.append(replace(service, availability=fewer_places(promised, item, by)))
        elif any(objective.place == item.clause.place for objective in service.latency):
            limits = tuple(replace(o, below_us=o.below_us + by) for o in service.latency)
            services.append(replace(service, latency=limits))
        else:
            services.append(service)
    if tuple(services) == policy.services and by:
        return None
    return replace(asked, policy=replace(policy, services=tuple(services)))


def fewer_places(promised: AvailabilityObjective, item: Relaxation, by: int) -> AvailabilityObjective:
    """The objective with what is told instead of it; with `by` short of the whole amount, of the first unit less."""
    told = {
        unit: (int(new), int(old)) for new, unit, old in re.findall(r"(\d+) (site|node)s? instead of (\d+)", item.what)
    }
    assert told
    assert sum(old - new for new, old in told.values()) == item.amount
    assert all(getattr(promised, f"{unit}s") == old for unit, (_, old) in told.items())
    new = {unit: new for unit, (new, _) in told.items()}
    new[next(iter(new))] += item.amount - by
    return replace(promised, sites=new.get("site", promised.sites), nodes=new.get("node", promised.nodes))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_relaxation_is_enough_and_a_little_less_is_not(seed: int) -> None:
    asked = problem(seed)
    for conflict in clashes(Questions(asked)).found:
        for item in relaxations(Questions(asked), conflict):
            part = narrowed(asked, conflict.services)
            enough = loosened(part, item, item.amount)
            if enough is None:
                assert item.clause.rule == "certification"
                continue
            assert whole_holds(enough)
            assert item.least
            less = loosened(part, item, item.amount - 1)
            assert less is not None
            assert not whole_holds(less)


def test_most_conflicts_have_a_relaxation_of_some_kind() -> None:
    found = []
    for seed in SEEDS:
        asked = Questions(problem(seed))
        found += [(conflict, relaxations(asked, conflict)) for conflict in clashes(asked).found]
    kinds = {item.clause.rule for _, items in found for item in items}
    assert {"budget", "latency", "availability", "certification"} <= kinds
    assert sum(bool(items) for _, items in found) > len(found) // 2


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_told_to_serve_all_does_with_the_loosenings_beside_it_and_not_without(seed: int) -> None:
    asked = problem(seed)
    found = clashes(Questions(asked)).found
    for item in (item for items in relaxations_of_all(Questions(asked), found) for item in items):
        assert item.serves_all is not None
        by_itself = in_force(asked, (item,))
        if by_itself is not None:
            assert whole_holds(by_itself) is (item.serves_all and not item.beside)
        together = in_force(asked, (item, *item.beside))
        if together is not None:
            assert whole_holds(together) is item.serves_all


def in_force(asked: Problem, items: tuple[Relaxation, ...]) -> Problem | None:
    """The problem with all of these in its policy or its nodes; None where one has no number there."""
    found: Problem | None = asked
    for item in items:
        found = loosened(found, item, item.amount) if found is not None else None
    return found


def two_too_slow() -> Problem:
    """Two services, each with a pool of its own whose only path is slower than its objective."""
    fleet = Fleet().site("paris", "EU")
    for index in range(2):
        name, model, pool = f"service{index}", f"model{index}", f"pool{index}"
        objective = LatencyObjective(9900, 50_000, 300, at(60 + index))
        fleet = fleet.pool(pool, "paris", 1, line=30 + index).service(name, stage("infer", model), latency=(objective,))
        fleet = fleet.demand(name, "paris", 400).option(f"{model}@{pool}", model, pool, capacity_milli_rps=500)
        fleet = fleet.path(name, f"{name}@paris", f"{model}@{pool}", latency_us=((9900, 60_000),))
    return fleet.problem


def test_each_of_two_conflicts_needs_a_loosening_beside_that_of_the_other() -> None:
    asked = Questions(two_too_slow())
    found = clashes(asked).found
    told = relaxations_of_all(asked, found)
    assert [[item.what for item in items] for items in told] == [["allow 60 ms at p99 instead of 50 ms"]] * 2
    assert [[each.clause for each in items[0].beside] for items in told] == [[told[1][0].clause], [told[0][0].clause]]
    assert [relaxations(asked, conflict)[0].serves_all for conflict in found] == [False, False]
    hint = conflict_finding(Loosened(found[0], told[0]), asked.problem.policy).hint
    assert hint.startswith("enough would be, together with allow 60 ms at p99 instead of 50 ms (latency, ")
    alone = conflict_finding(Loosened(found[0], relaxations(asked, found[0])), asked.problem.policy).hint
    assert alone.endswith("; other services would still fall short")


def one_path(**clauses: object) -> Problem:
    """A service whose only path costs two millicents a request and loads for 13.5 s, of which 12 s are left of 20 s."""
    fleet = Fleet().site("paris", "EU").pool("edge", "paris", price_millicents_per_hour=3_600_000)
    fleet = fleet.service("ocr", stage("read", "rec"), **clauses).demand("ocr", "paris", 400)
    fleet = fleet.option("rec@edge", "rec", "edge", capacity_milli_rps=500, load_us=13_500_000)
    return fleet.path("near", "ocr@paris", "rec@edge").problem


@pytest.mark.parametrize(
    ("clauses", "rule", "what", "amount"),
    [
        (
            {"cost": CostObjective(1_500, 1_000, at(60))},
            "unit_cost",
            "allow $0.02 for 1000 requests instead of $0.015",
            500,
        ),
        (
            {"scale_to_zero": ScaleToZero(600, 20_000_000, at(60))},
            "wake_up",
            "let waking up take 21.5 s instead of 20 s",
            1_500_000,
        ),
    ],
)
def test_what_a_path_costs_and_how_long_it_loads_are_loosened_to_the_least_that_is_needed(
    clauses: dict[str, object], rule: str, what: str, amount: int
) -> None:
    asked = Questions(one_path(**clauses))
    (conflict,) = clashes(asked).found
    (item,) = relaxations(asked, conflict)
    assert (item.clause, item.what, item.amount) == (Clause(at(60), rule), what, amount)
    assert (item.least, item.serves_all) == (True, True)


def test_every_rule_that_bars_uses_has_a_remedy_in_words() -> None:
    assert set(REMEDIES) == {rule.id for rule in EXCLUDING if not rule.of_paths}
