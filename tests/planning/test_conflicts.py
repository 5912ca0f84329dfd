from dataclasses import replace
from itertools import combinations

import pytest
from asked_too_much import problem

from controller.decision import Proof
from controller.planning.clauses import Clause, only
from controller.planning.conflict import clashes
from controller.planning.questions import Questions
from controller.planning.relaxation import Relaxation, grown, relaxations
from controller.planning.solve import solve
from rules.kernel.problem import Problem

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
            fewer = replace(promised, sites=max(0, promised.sites - by), nodes=max(0, promised.nodes - by))
            services.append(replace(service, availability=fewer))
        elif any(objective.place == item.clause.place for objective in service.latency):
            limits = tuple(replace(o, below_us=o.below_us + by) for o in service.latency)
            services.append(replace(service, latency=limits))
        else:
            services.append(service)
    if tuple(services) == policy.services and by:
        return None
    return replace(asked, policy=replace(policy, services=tuple(services)))


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
