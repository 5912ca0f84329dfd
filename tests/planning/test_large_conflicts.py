"""Conflicts of a generated fleet of 200 nodes; what is possible without a clause is planned and verified."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from explained_fleet import built, of_the_engine, policy, strained

from controller.planning.explaining.clauses import Clause, only
from controller.planning.explaining.conflict import Conflict, about, clashes
from controller.planning.explaining.part import Part
from controller.planning.explaining.questions import Questions
from controller.planning.explaining.relaxation import Relaxation, relaxations
from controller.planning.explaining.sacrifice import services_short
from controller.planning.objective import price_per_hour
from controller.planning.verify import verify
from controller.planning.whole import rounds
from controller.planning.whole.size import is_small
from policy.resolved import Policy

NODES = 200
STRAINED = dict(strained(policy(NODES)))
NAMES = sorted(STRAINED.keys() - {"capacity"})
"""On so few nodes three times the requests of the others can be answered."""


@pytest.fixture(autouse=True)
def few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "FREE_TRIES", 300)
    monkeypatch.setattr(rounds, "HELD_TRIES", 600)


def asked_of(name: str) -> tuple[Questions, Conflict]:
    questions = Questions(replace(built(STRAINED[name]).whole, floors=()))
    short = ["service-7"] if name == "whole nodes" else []
    (conflict,) = clashes(questions, short).found
    return questions, conflict


@pytest.mark.parametrize("name", NAMES)
def test_each_clause_of_a_conflict_is_needed_for_it_on_a_large_fleet(name: str) -> None:
    questions, conflict = asked_of(name)
    assert not is_small(questions.problem)
    assert conflict.proven
    members = frozenset(conflict.clauses)
    part, _ = about(questions, Part(frozenset(conflict.services), members))
    assert part.possible(only(members)) is False
    room = {clause for clause in members if clause.rule in {"device_share", "device_memory"}}
    for dropped in [{clause} for clause in members - room] + ([room] if room else []):
        assert part.possible(only(members - dropped)) is True


WITHOUT: dict[str, Callable[[Policy, Clause], Policy]] = {
    "budget": lambda asked, clause: replace(
        asked, cost=replace(asked.cost, ceilings=tuple(c for c in asked.cost.ceilings if c.place != clause.place))
    ),
    "certification": lambda asked, _: replace(asked, compliance=()),
    "latency": lambda asked, clause: with_services(
        asked, latency=lambda s: tuple(o for o in s.latency if o.place != clause.place)
    ),
    "availability": lambda asked, clause: with_services(
        asked,
        availability=lambda s: None if s.availability and s.availability.place == clause.place else s.availability,
    ),
}


def with_services(asked: Policy, **changes: Callable[..., object]) -> Policy:
    return replace(
        asked,
        services=tuple(replace(s, **{key: change(s) for key, change in changes.items()}) for s in asked.services),
    )


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_without_the_clause_that_cannot_be_had_a_fleet_has_a_plan_that_the_verifier_passes(name: str) -> None:
    """Without another clause of the conflict it may still be in a second one."""
    _, conflict = asked_of(name)
    tried = [
        clause for clause in conflict.clauses if clause.rule == name or (clause.rule in WITHOUT and name not in WITHOUT)
    ]
    assert tried
    for clause in tried:
        instance = built(WITHOUT[clause.rule](STRAINED[name], clause))
        plan = of_the_engine(instance)
        assert verify(plan, instance.problem) == ()
        assert services_short(plan, instance.whole) == ()


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_a_loosening_is_enough_on_a_large_fleet_and_its_price_is_a_bound(name: str) -> None:
    questions, conflict = asked_of(name)
    found = relaxations(questions, conflict)
    assert found
    for item in found:
        assert item.about
        assert item.cost_millicents_per_hour is not None
        asked = loosened(STRAINED[name], item)
        if asked is not None:
            instance = built(asked)
            plan = of_the_engine(instance)
            assert verify(plan, instance.problem) == ()
            assert services_short(plan, instance.whole) == ()
            assert item.cost_millicents_per_hour <= price_per_hour(plan, instance.whole)


def loosened(asked: Policy, item: Relaxation) -> Policy | None:
    """The policy with one clause's own number changed; None for what has no number of its own."""
    place, by = item.clause.place, item.amount
    if item.clause.rule == "budget":
        ceilings = tuple(
            replace(c, millicents_per_hour=c.millicents_per_hour + by) if c.place == place else c
            for c in asked.cost.ceilings
        )
        return replace(asked, cost=replace(asked.cost, ceilings=ceilings))
    if item.clause.rule == "latency":
        return with_services(
            asked,
            latency=lambda s: tuple(replace(o, below_us=o.below_us + by) if o.place == place else o for o in s.latency),
        )
    return None
