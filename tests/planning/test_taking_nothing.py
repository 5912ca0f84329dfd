"""On random tiny problems nobody loses anything to a service that does not preempt, and the best such plan is found."""

from dataclasses import replace
from typing import NamedTuple

import pytest
from dice import Dice
from every_product import Everything
from small_products import product

from controller.planning.cheapest import Best, cheapest
from controller.planning.preemption import Acquired, withholding, without_taking
from controller.planning.verify import verify
from policy.resolved import NeverPreempts
from rules.catalogue import RULES
from rules.kernel.plan import Plan
from rules.kernel.problem import WHOLE_PERMILLE, Problem
from tests.rules.build import at

ALL = frozenset(rule.id for rule in RULES)
SURGE = 3
SEEDS = range(400)


class Drawn(NamedTuple):
    """A problem with two services or more, what they had before the load grew, and what is made of it."""

    problem: Problem
    running: Plan
    acquired: Acquired
    held: Problem
    best: Best


def drawn(seed: int) -> Drawn | None:
    """None where there is one service, or no plan."""
    made, dice = product(seed), Dice(seed + 77_000_000_000)
    services = tuple(
        replace(each, preemption=dice.one((None, NeverPreempts(at(10))))) for each in made.problem.policy.services
    )
    demands = tuple(replace(each, rate_milli_rps=SURGE * each.rate_milli_rps) for each in made.problem.demands)
    policy = replace(made.problem.policy, services=services)
    problem = replace(made.problem, policy=policy, demands=demands, assured=())
    parts = {demand.id: dice.one((1, 4, 20)) for demand in demands}
    less = tuple(replace(each, rate_milli_rps=each.rate_milli_rps // parts[each.id]) for each in demands)
    before = cheapest(replace(problem, demands=less), made.running)
    if len(services) == 1 or before is None:
        return None
    served = {name: (WHOLE_PERMILLE - before.plan.unserved_permille(name)) // part for name, part in parts.items()}
    acquired = Acquired(served, {item.service: item.level for item in before.plan.degraded})
    held, best = without_taking(problem, made.running, acquired)
    return Drawn(problem, made.running, acquired, held, best) if best else None


@pytest.fixture(scope="module")
def restrained() -> list[Drawn]:
    """The problems in which the cheapest plan would have taken something."""
    found = [made for seed in SEEDS if (made := drawn(seed)) and made.held.assured]
    assert len(found) > 5
    return found


def test_nobody_has_less_than_now_and_less_than_without_what_is_lacking(restrained: list[Drawn]) -> None:
    for problem, running, acquired, _, best in restrained:
        alone = cheapest(problem, running, withholding(acquired.lacking(problem), problem))
        assert alone is not None
        for now in acquired.assured(problem):
            assert best.plan.level(now.service) <= max(now.level, alone.plan.level(now.service))
            for demand, permille in now.unserved_permille:
                most = max(permille, alone.plan.unserved_permille(demand))
                assert best.plan.unserved_permille(demand) <= most


def test_without_what_is_lacking_nothing_of_it_is_given(restrained: list[Drawn]) -> None:
    degraded = 0
    for problem, running, acquired, _, _ in restrained:
        lacking = acquired.lacking(problem)
        alone = cheapest(problem, running, withholding(lacking, problem))
        assert alone is not None
        assert all(alone.plan.unserved_permille(demand) >= permille for demand, permille in lacking.permille.items())
        serves = {problem.path(route.path).demand.split("@")[0] for route in alone.plan.routes}
        assert all(alone.plan.level(name) >= level for name, level in lacking.levels.items() if name in serves)
        degraded += len(lacking.levels)
    assert degraded


def test_the_plan_keeps_every_rule_and_none_that_does_is_cheaper(restrained: list[Drawn]) -> None:
    tried = 0
    for _, running, _, held, best in restrained:
        assert verify(best.plan, held) == ()
        every = Everything(held, running)
        if every.is_small and best.plan != running:
            tried += 1
            assert best.cost == every.least(ALL)
    assert tried
