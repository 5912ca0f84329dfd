"""Writing no more rows than questions need."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rules.catalogue import RULES
from rules.kernel.formulation import Count, Distinct, Exclusion, Formulation, Gathered, Row
from rules.kernel.problem import Problem
from rules.kernel.rule import Excluding, Rule

Counting = Count | Distinct | Gathered
"""Rows that say of instances alone how many stand, or where."""


def useful(problem: Problem) -> Problem:
    """The problem without options that no path takes and no row asks for: it makes no difference where they stand."""
    taken = {option for path in problem.paths for option in path.options}
    if len(taken) == len(problem.options):
        return problem
    bare = replace(problem, demands=(), paths=(), nodes=())
    for row in _written(bare, (rule for rule in RULES if not isinstance(rule, Excluding))):
        if isinstance(row, Count) and row.lowest > 0:
            taken.update(row.options)
    return replace(problem, options=tuple(option for option in problem.options if option.id in taken))


def again(problem: Problem, form: Formulation) -> Iterator[Row]:
    """What rules write of a problem with other nodes than the form's; those that only exclude write the same."""
    yield from form.exclusions()
    others = {row.rule for row in form.rows if not isinstance(row, Exclusion)}
    for row in _written(problem, (rule for rule in RULES if rule.id in others)):
        if not isinstance(row, Exclusion):
            yield row


def counting(form: Formulation) -> tuple[Rule, ...]:
    """The rules behind rows that count what stands."""
    found = {row.rule for row in form.rows if isinstance(row, Counting)}
    return tuple(rule for rule in RULES if rule.id in found)


def count_rows(problem: Problem, rules: Iterable[Rule]) -> Iterator[Row]:
    """What these rules write that counts what stands."""
    return (row for row in _written(problem, rules) if isinstance(row, Counting))


def _written(problem: Problem, rules: Iterable[Rule]) -> Iterator[Row]:
    form = Formulation()
    for rule in rules:
        if rule.applies(problem):
            rule.constrain(form, problem)
    yield from form.rows
