"""Every rule against every promise, on the examples."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.clauses import ComplianceProfile
from rules.catalogue import RULES
from rules.kernel.formulation import Formulation, Penalty
from rules.kernel.problem import Problem
from rules.kernel.rule import Excluding, Rule
from tests.rules.example import Example, cases

each_case = pytest.mark.parametrize(("rule", "example"), cases())


def rows_of(rule: Rule, problem: Problem) -> Formulation:
    form = Formulation()
    if rule.applies(problem):
        rule.constrain(form, problem)
    return form


@each_case
def test_a_plan_on_the_limit_keeps_every_promise(rule: Rule, example: Example) -> None:
    assert rule.applies(example.problem)
    assert [found for each in RULES for found in each.check(example.on_limit, example.problem)] == []


@each_case
def test_a_plan_one_step_over_breaks_this_promise_and_no_other(rule: Rule, example: Example) -> None:
    found = [violation for each in RULES for violation in each.check(example.over_limit, example.problem)]
    assert found == [example.violation]
    assert example.violation.rule == rule.id


@each_case
def test_the_finding_names_the_clause_the_numbers_and_the_next_step(rule: Rule, example: Example) -> None:
    finding = rule.explain(example.violation)
    assert finding.message == example.message
    assert finding.place == example.violation.place
    assert finding.subject == example.violation.subject
    assert re.fullmatch(r"[a-z].{20,}[^.]", finding.hint)


@each_case
def test_exclusions_say_why(rule: Rule, example: Example) -> None:
    written = rows_of(rule, example.problem).exclusions()
    assert tuple(row.reason for row in written) == example.reasons
    assert all(row.place == example.violation.place for row in written)


@each_case
def test_exclusions_can_be_asked_for_without_the_other_rows(rule: Rule, example: Example) -> None:
    alone = tuple(rule.exclusions(example.problem)) if isinstance(rule, Excluding) else ()
    assert rows_of(rule, example.problem).exclusions() == alone


@each_case
def test_all_settings_of_a_placement_are_excluded_alike(rule: Rule, example: Example) -> None:
    twin = {option.id: f"{option.id} set otherwise" for option in example.problem.options}
    twins = tuple(
        option._replace(id=twin[option.id], max_batch=2 * option.max_batch, queue_delay_us=7, load_permille=333)
        for option in example.problem.options
    )
    both = replace(example.problem, options=(*example.problem.options, *twins))
    rows = [row for row in rule.exclusions(both) if not row.path] if isinstance(rule, Excluding) else []
    first = {row._replace(option=twin[row.option]) for row in rows if row.option in twin}
    assert first == {row for row in rows if row.option not in twin}


@each_case
def test_rows_carry_the_rule_and_its_clause(rule: Rule, example: Example) -> None:
    rows = [row for row in rows_of(rule, example.problem).rows if not isinstance(row, Penalty)]
    assert {row.rule for row in rows} == {rule.id}
    assert all(row.place is not None for row in rows)


@each_case
def test_a_problem_that_asks_for_less_is_spared(rule: Rule, example: Example) -> None:
    for problem in example.spared:
        assert list(rule.check(example.over_limit, problem)) == []
        if not rule.applies(problem):
            form = Formulation()
            rule.constrain(form, problem)
            assert form.rows == []


@each_case
@given(data=st.data())
@settings(max_examples=10)
def test_the_order_of_the_input_never_matters(rule: Rule, example: Example, data: st.DataObject) -> None:
    problem = shuffled_problem(example.problem, data)
    for plan in (example.on_limit, example.over_limit):
        mixed = shuffled(plan, data, ("instances", "routes", "unserved", "degraded"))
        assert sorted(rule.check(mixed, problem), key=repr) == sorted(rule.check(plan, example.problem), key=repr)
    assert unordered(rows_of(rule, problem).rows) == unordered(rows_of(rule, example.problem).rows)


def shuffled(item: Any, data: st.DataObject, names: tuple[str, ...]) -> Any:
    return replace(item, **{name: tuple(data.draw(st.permutations(getattr(item, name)))) for name in names})


def shuffled_problem(problem: Problem, data: st.DataObject) -> Problem:
    """The same problem in another order; what is a sequence by meaning (stages, degrade orders, paths) stays."""
    policy = problem.policy
    policy = shuffled(policy, data, ("services", "models", "sites", "pools", "links", "devices", "compliance"))
    policy = replace(
        policy,
        services=tuple(shuffled(service, data, ("latency", "data_classes")) for service in policy.services),
        links=tuple(shuffled(link, data, ("transit",)) for link in policy.links),
        compliance=tuple(shuffled_profile(profile, data) for profile in policy.compliance),
        cost=shuffled(policy.cost, data, ("ceilings",)),
        scaling=shuffled(policy.scaling, data, ("bounds",)),
    )
    names = (
        "demands",
        "options",
        "paths",
        "nodes",
        "certifications",
        "attestations",
        "provenances",
        "running",
        "floors",
    )
    mixed: Problem = shuffled(replace(problem, policy=policy), data, names)
    return mixed


def shuffled_profile(profile: ComplianceProfile, data: st.DataObject) -> ComplianceProfile:
    scope = shuffled(profile.scope, data, ("classes", "subjects", "services", "labels", "stages"))
    mixed: ComplianceProfile = shuffled(
        replace(profile, scope=scope), data, ("certifications", "forbidden", "provenance")
    )
    return mixed


def unordered(value: Any) -> Any:
    """Something equal for equal contents in any order."""
    if isinstance(value, list | tuple):
        return tuple(sorted((unordered(each) for each in value), key=repr))
    fields = getattr(value, "__dataclass_fields__", None)
    if fields is None:
        return value
    return (type(value).__name__, *((name, unordered(getattr(value, name))) for name in fields if name != "reason"))
