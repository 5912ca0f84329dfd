"""Why not everything can be served: smallest sets of clauses that cannot all hold.

A linear programme over pools finds the part of the problem that falls short. There, clauses are dropped one at a time
and the question is asked again (a deletion filter): what is left is minimal, for any one of its members dropped, the
others can hold together. CP-SAT's own assumptions are not asked; they may name the wrong ones.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from controller.planning.clauses import Clause, clauses_of
from controller.planning.part import Part, on_part, parts, restricted
from controller.planning.questions import Questions, only
from rules.kernel.problem import Problem

MOST: Final = 3
"""Conflicts that are looked for at a time; the others show up when these are gone."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Clauses that cannot hold together while these services are served in full.

    `proven` is false when a question stayed undecided.
    """

    clauses: tuple[Clause, ...]
    services: tuple[str, ...]
    proven: bool


def conflicts(whole: Problem, suspects: Iterable[str] = ()) -> tuple[Conflict, ...]:
    """Minimal conflicts that keep services from being served in full, each of other services; none where all can be.

    `suspects` are the services to look at first where pools would be enough but their nodes are not.
    """
    questions = Questions(replace(whole, floors=()))
    found = parts(questions)[:MOST]
    if found:
        return tuple(dict.fromkeys(_conflict(questions, part) for part in found))
    for part in _growing(questions, frozenset(suspects)):
        asked, clauses = _questions(questions, part)
        if asked.possible(only(clauses)) is False:
            return (_minimal(asked, part, clauses),)
    return ()


def _conflict(questions: Questions, part: Part) -> Conflict:
    """The conflict of a part. Its clauses are taken for enough only where they are."""
    asked = Questions(restricted(questions, part))
    if asked.possible(only(part.clauses)) is False:
        return _minimal(asked, part, part.clauses)
    return _minimal(asked, part, on_part(questions, asked.problem))


def _questions(questions: Questions, part: Part) -> tuple[Questions, frozenset[Clause]]:
    problem = restricted(questions, part)
    asked = questions if problem is questions.problem else Questions(problem)
    return asked, on_part(questions, problem)


def _growing(questions: Questions, suspects: frozenset[str]) -> Iterator[Part]:
    """The suspects alone, with those who want the same pools, and everybody."""
    problem, clauses = questions.problem, clauses_of(questions.form)
    everybody = frozenset(service.name for service in problem.policy.services)
    pools: dict[str, set[str]] = {}
    for path in problem.paths:
        service = problem.demand(path.demand).service
        pools.setdefault(service, set()).update(problem.option(name).placement.pool for name in path.options)
    wanted = {pool for name in suspects for pool in pools.get(name, ())}
    beside = frozenset(name for name, own in pools.items() if own & wanted)
    for services in dict.fromkeys((suspects, suspects | beside, everybody)):
        if services:
            yield Part(services, clauses)


def _minimal(asked: Questions, part: Part, clauses: frozenset[Clause]) -> Conflict:
    """What is left when every clause has been dropped without which the rest still cannot hold."""
    kept, proven = clauses, True
    for clause in sorted(clauses & clauses_of(asked.form)):
        answer = asked.possible(only(kept - {clause}))
        if answer is False:
            kept -= {clause}
        else:
            proven = proven and answer is True
    return Conflict(tuple(sorted(kept & clauses_of(asked.form))), tuple(sorted(part.services)), proven)
