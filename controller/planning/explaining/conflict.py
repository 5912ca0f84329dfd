"""Why not everything can be served: smallest sets of clauses that cannot all hold.

A linear programme over pools finds the part of the problem that falls short. There, clauses are dropped one at a time
and the question is asked again (a deletion filter): what is left is minimal, for any one of its members dropped, the
others can hold together. CP-SAT's own assumptions are not asked; they may name the wrong ones.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from controller.planning.explaining.clauses import Clause, only
from controller.planning.explaining.part import Part, on_part, parts, restricted
from controller.planning.explaining.questions import Questions
from rules.kernel.formulation import Exclusion, Resource, Row

MOST: Final = 3
"""Conflicts that are looked for at a time; the others show up when these are gone."""
ROOM_APART: Final = 8
"""The room on the nodes of more pools than this counts as one member: it is a conflict with all the hardware there."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Clauses that cannot hold together while these services are served in full.

    `proven` is false when a question stayed undecided.
    """

    clauses: tuple[Clause, ...]
    services: tuple[str, ...]
    proven: bool


@dataclass(frozen=True, slots=True)
class Clashes:
    """Why not everything is served in full: minimal conflicts, each of other services.

    Where none was found, `undecided` are the services of which it was not proven within the limit of work that they can
    be, or cannot; and `servable` is true where a plan exists that serves everything.
    """

    found: tuple[Conflict, ...]
    undecided: tuple[str, ...] = ()
    servable: bool = False


def clashes(questions: Questions, suspects: Iterable[str] = ()) -> Clashes:
    """The conflicts that keep services from being served in full.

    `suspects` are the services to look at first where pools would be enough but their nodes are not.
    """
    hopeless = _hopeless(questions)
    found = parts(questions)
    ends = (_conflict(questions, part) for part in found[:MOST])
    conflicting = (*hopeless, *apart([item for item in ends if item is not None]))
    if conflicting:
        return Clashes(conflicting)
    short = frozenset(name for part in found for name in part.services)
    return _in_whole_nodes(questions, short | frozenset(suspects))


def apart(found: Sequence[Conflict]) -> Iterator[Conflict]:
    """These without each that holds all clauses of another, for what ends that ends it too; of equals the first."""
    sets = [frozenset(item.clauses) for item in found]
    for at, (item, own) in enumerate(zip(found, sets, strict=True)):
        if own not in sets[:at] and not any(other < own for other in sets):
            yield item


def _hopeless(questions: Questions) -> tuple[Conflict, ...]:
    """The services with demands that no path could ever serve: no clause is to blame."""
    services = sorted({questions.problem.demand(name).service for name in questions.stranded})
    return (Conflict((), tuple(services), proven=True),) if services else ()


def _in_whole_nodes(questions: Questions, suspects: frozenset[str]) -> Clashes:
    """A conflict that pools alone do not have, of as few services as are enough for one."""
    undecided: tuple[str, ...] = ()
    for part in _growing(questions, suspects):
        asked, clauses = about(questions, part)
        answer = asked.possible(only(clauses))
        if answer is False:
            return Clashes((_minimal(asked, part, clauses),))
        if answer is None:
            undecided = undecided or tuple(sorted(part.services))
        elif len(part.services) == len(questions.problem.policy.services):
            return Clashes((), servable=True)
    return Clashes((), undecided)


def _conflict(questions: Questions, part: Part) -> Conflict | None:
    """The conflict of a part; None when its services alone could all be served."""
    asked, clauses = about(questions, part)
    for enough in (part.clauses, clauses):
        if asked.possible(only(enough)) is False:
            return _minimal(asked, part, enough)
    return None


def about(questions: Questions, part: Part) -> tuple[Questions, frozenset[Clause]]:
    """What to ask of a part, and the clauses that it can be held to."""
    problem = restricted(questions, part)
    asked = questions if problem is questions.problem else questions.about(problem)
    return asked, on_part(questions, problem)


def _growing(questions: Questions, suspects: frozenset[str]) -> Iterator[Part]:
    """The suspects alone, with those who want the same pools, and everybody."""
    problem, clauses = questions.problem, questions.clauses
    everybody = frozenset(service.name for service in problem.policy.services)
    pools = {
        service: {problem.option(name).placement.pool for path in paths for name in path.options}
        for service, paths in questions.paths_of.items()
    }
    wanted = {pool for name in suspects for pool in pools.get(name, ())}
    beside = frozenset(name for name, own in pools.items() if own & wanted)
    for services in dict.fromkeys((suspects, suspects | beside, everybody)):
        if services:
            yield Part(services, clauses)


def _minimal(asked: Questions, part: Part, clauses: frozenset[Clause]) -> Conflict:
    """What is left when everything has been dropped without which the rest still cannot hold.

    Many are dropped at once while that changes nothing, and halved where it does.
    """
    kept, proven = clauses & asked.clauses, True
    idle, room = _room(asked, kept)
    barring = _of_kind(asked, kept, Exclusion) - room
    waiting = [kept - idle - room - barring, barring, room, idle]
    while waiting:
        tried = waiting.pop()
        answer = asked.possible(only(kept - tried)) if tried else True
        if answer is False:
            kept -= tried
        elif len(tried) > 1 and not (tried == room and len(room) > ROOM_APART):
            half = sorted(tried)
            waiting += [frozenset(half[len(half) // 2 :]), frozenset(half[: len(half) // 2])]
        else:
            proven = proven and answer is True
    return Conflict(tuple(sorted(kept)), tuple(sorted(part.services)), proven)


def _room(asked: Questions, clauses: frozenset[Clause]) -> tuple[frozenset[Clause], frozenset[Clause]]:
    """The room on nodes of pools that no path goes to while all these clauses hold, and that of the others."""
    room, busy = _of_kind(asked, clauses, Resource), asked.pools_in_use(only(clauses))
    pool = {node.name: node.pool for node in asked.problem.nodes}
    idle = {
        clause
        for clause in room
        if not any(
            pool[node] in busy for row in asked.rows_of[clause] if isinstance(row, Resource) for node, _ in row.capacity
        )
    }
    return frozenset(idle), room - idle


def _of_kind(asked: Questions, clauses: frozenset[Clause], kind: type[Row]) -> frozenset[Clause]:
    return frozenset(clause for clause in clauses if isinstance(asked.rows_of[clause][0], kind))
