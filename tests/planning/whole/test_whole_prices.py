"""The fleet engine where links have a price and a service a ceiling: it has no routes to search by, and comes near."""

from dataclasses import replace

import numpy as np
import pytest
from random_products import SITES, random_product

from controller.decision import Proof
from controller.planning.build import write
from controller.planning.objective import cost_of, links_per_hour, prices
from controller.planning.solve import solve
from controller.planning.verify import verify
from controller.planning.whole import rounds
from controller.planning.whole.rounds import plan_fleet
from policy.resolved import Ceiling, Egress
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from tests.rules.build import at

SEEDS = range(12)
WORST = 1.1
NEAR = 1.01


def with_prices(seed: int) -> Problem:
    """A random product in which some ways cost as much as nodes, and the first service may not use much."""
    asked, dice = random_product(seed), np.random.default_rng(seed)
    policy = asked.policy
    links = tuple(
        replace(link, egress=tuple(Egress(site, int(dice.choice([0, 500, 2_000, 6_000])), at(41)) for site in SITES))
        for link in policy.links
    )
    services = tuple(
        replace(
            service, stages=tuple(replace(each, payload_bytes=int(dice.choice([200, 1000]))) for each in service.stages)
        )
        for service in policy.services
    )
    ceiling = Ceiling("", int(dice.integers(20, 200)), at(83), service=services[0].name)
    cost = replace(policy.cost, ceilings=(*policy.cost.ceilings, ceiling))
    return replace(asked, policy=replace(policy, links=links, services=services, cost=cost))


def test_plans_with_prices_are_nearly_the_cheapest_and_keep_every_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "FREE_TRIES", 300)
    monkeypatch.setattr(rounds, "HELD_TRIES", 600)
    ratios, paid = [], []
    for seed in SEEDS:
        problem = with_prices(seed)
        form = write(problem)
        form.add(prices(problem, Plan()))
        best, found = solve(form, problem), plan_fleet(form, problem, Plan())
        assert found.plan is not None
        assert verify(found.plan, problem) == ()
        assert found.cost == cost_of(found.plan, form)
        if best.proof is Proof.OPTIMAL:
            assert best.cost <= found.cost <= WORST * best.cost, seed
            ratios.append(found.cost / best.cost)
        paid.append(links_per_hour(found.plan, problem))
    assert any(paid)
    assert sum(ratio <= NEAR for ratio in ratios) >= 0.8 * len(ratios)
