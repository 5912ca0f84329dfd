"""Asking for more never allows more, and a service that comes takes nothing from another one's compliance.

The judge is every rule's own `check`, on every plan of a tiny problem.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.resolved import Policy
from rules.catalogue import RULES
from rules.kernel.plan import Plan
from rules.kernel.problem import Demand, Path, Problem
from tests.rules.example import Domain, Example, cases
from tests.rules.tightening import WAYS

EXAMPLES: list[tuple[str, Example]] = [(case.values[0].id, case.values[1]) for case in cases()]
DOMAIN = Domain(counts=(1,))
COMPLIANCE = {
    "certification",
    "forbidden_certification",
    "attestation",
    "encryption_at_rest",
    "provenance",
    "pinned",
    "residency",
    "link_security",
    "link_evidence",
    "payload_fidelity",
    "purchase",
}


def drawn(data: st.DataObject, rules: set[str]) -> tuple[Problem, list[Plan]]:
    """A problem of an example, with its plans and, where they are few, every plan with an instance of each option."""
    example = data.draw(st.sampled_from([example for rule, example in EXAMPLES if rule in rules]))
    problem = data.draw(st.sampled_from((example.problem, *example.spared)))
    few = len(problem.paths) <= 3
    return problem, [example.on_limit, example.over_limit, *(DOMAIN.plans(problem) if few else ())]


def broken(plan: Plan, problem: Problem) -> bool:
    return any(True for rule in RULES for _ in rule.check(plan, problem))


@pytest.mark.parametrize("way", list(WAYS), ids=lambda way: way.__name__)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_a_stricter_policy_allows_was_allowed_before(
    way: Callable[[Policy, st.DataObject], Policy], data: st.DataObject
) -> None:
    problem, plans = drawn(data, WAYS[way])
    after = replace(problem, policy=way(problem.policy, data))
    for plan in plans:
        if not broken(plan, after):
            assert not broken(plan, problem), plan


@pytest.mark.parametrize("way", list(WAYS), ids=lambda way: way.__name__)
def test_each_way_forbids_something(way: Callable[[Policy, st.DataObject], Policy]) -> None:
    """Otherwise the property would hold of a way that changes nothing."""
    found = []

    @settings(max_examples=200, database=None, derandomize=True)
    @given(data=st.data())
    def look(data: st.DataObject) -> None:
        problem, plans = drawn(data, WAYS[way])
        after = replace(problem, policy=way(problem.policy, data))
        found.extend(plan for plan in plans[:2] if broken(plan, after) and not broken(plan, problem))

    look()
    assert found


@settings(max_examples=100)
@given(data=st.data())
def test_a_service_that_comes_leaves_what_others_broke_or_kept(data: st.DataObject) -> None:
    _, example = data.draw(st.sampled_from(EXAMPLES))
    problem = example.problem
    if not problem.policy.services or not problem.demands:
        return
    model = problem.policy.services[0]
    name = "aaa" if data.draw(st.booleans()) else "zzz"
    come = replace(
        model,
        name=name,
        data_classes=data.draw(st.sampled_from([(), ("card",), ("voice",)])),
        labels=data.draw(st.sampled_from([(), (("team", "payments"),)])),
    )
    demand = Demand(f"{name}@x", name, problem.demands[0].origin, 1000)
    paths = tuple(
        Path(f"{name} {path.id}", demand.id, path.options, path.latency_us)
        for path in problem.paths
        if problem.demand(path.demand).service == model.name
    )
    services = (come, *problem.policy.services) if name == "aaa" else (*problem.policy.services, come)
    more = replace(
        problem,
        policy=replace(problem.policy, services=services),
        demands=(*problem.demands, demand),
        paths=(*problem.paths, *paths),
    )
    for plan in (example.on_limit, example.over_limit):
        before, after = (
            [each for rule in RULES if rule.id in COMPLIANCE for each in rule.check(plan, which)]
            for which in (problem, more)
        )
        assert before == after
