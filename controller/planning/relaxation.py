"""What would end a conflict: for each of its clauses the smallest loosening with which everything is served.

Ceilings go up to what a plan needs; counts change by whole instances, sites and nodes; a pool has more nodes; a limit
on paths goes up to the prediction of the best path that it bars; of what bars uses, one reason falls away.

A loosening is looked for among the services of its conflict. Then the whole problem is asked again with it in force:
other conflicts may need one of their own beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from controller.planning.clauses import Clause, all_of, only
from controller.planning.conflict import Conflict, about
from controller.planning.loosen_room import more_room
from controller.planning.loosen_rows import loosenings
from controller.planning.loosening import Loosening
from controller.planning.meter import A_PRICE
from controller.planning.objective import price_per_hour
from controller.planning.part import Part
from controller.planning.pooled.linear import minimise
from controller.planning.questions import Questions
from controller.planning.solve import solve
from controller.planning.whole.size import is_small
from controller.planning.work import OTHER_PLAN_WORK
from rules.kernel.formulation import Resource
from rules.kernel.problem import Node


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One loosening that is enough for the services of its conflict: of which clause, in words, by how much.

    `least` tells whether a little less is proven not to be. `serves_all` tells whether everything is served in full
    with it and the loosenings of other conflicts `beside` it; None where that stayed undecided. The cost is what the
    plan costs an hour with this loosening: None where no plan was found, and a bound from below where `about` is true.
    """

    clause: Clause
    what: str
    amount: int
    least: bool
    cost_millicents_per_hour: int | None
    about: bool
    serves_all: bool | None = None
    beside: tuple["Relaxation", ...] = ()


class Tried(NamedTuple):
    """A relaxation, with what it changes."""

    told: Relaxation
    by: Loosening


def relaxations_of_all(questions: Questions, conflicts: Sequence[Conflict]) -> list[tuple[Relaxation, ...]]:
    """For each conflict its relaxations; those that do not serve all alone are tried beside the first of the others."""
    found = [tried(questions, conflict) for conflict in conflicts]
    together = []
    for at, own in enumerate(found):
        beside = tuple(items[0] for other, items in enumerate(found) if other != at and items)
        together.append(tuple(_beside(questions, item, beside) if beside else item.told for item in own))
    return together


def relaxations(questions: Questions, conflict: Conflict) -> tuple[Relaxation, ...]:
    """The smallest loosenings that end a conflict, those first with which the plan costs least."""
    return tuple(item.told for item in tried(questions, conflict))


def tried(questions: Questions, conflict: Conflict) -> tuple[Tried, ...]:
    """The same, with what they change."""
    if not conflict.clauses:
        return ()
    services = frozenset(conflict.services)
    asked, clauses = about(questions, Part(services, frozenset(conflict.clauses)))
    everything = only(clauses)
    room = {clause for clause, rows in asked.rows_of.items() if isinstance(rows[0], Resource)}
    full = tuple(clause for clause in conflict.clauses if clause in room)
    found = [(full[0], item) for item in more_room(asked, full, everything)] if full else []
    for clause in (clause for clause in conflict.clauses if clause not in room):
        found += [(clause, item) for item in loosenings(asked, questions, clause, everything)]
    return tuple(sorted((_relaxation(questions, *each) for each in found), key=_order))


def _order(tried_one: Tried) -> tuple[bool, int, Clause, str]:
    item = tried_one.told
    return item.serves_all is not True, item.cost_millicents_per_hour or 0, item.clause, item.what


def _relaxation(questions: Questions, clause: Clause, item: Loosening) -> Tried:
    """A loosening, held to the whole problem."""
    if questions.meter.is_over:
        cost, rough, serves_all = None, True, None
    else:
        cost, rough = _cost(questions, item)
        serves_all = _serves_all(questions, [item])
    return Tried(Relaxation(clause, item.what, item.amount, item.least, cost, rough, serves_all), item)


def _beside(questions: Questions, item: Tried, others: tuple[Tried, ...]) -> Relaxation:
    """The relaxation, with others where it does not serve all without them and does with them."""
    if item.told.serves_all is True or not _serves_all(questions, [each.by for each in (item, *others)]):
        return item.told
    return replace(item.told, serves_all=True, beside=tuple(each.told for each in others))


def _serves_all(questions: Questions, loosened: Sequence[Loosening]) -> bool | None:
    """Whether everything can be served in full once these are in force, and every other clause as it is."""
    more = tuple(node for item in loosened for node in item.nodes)
    edit = all_of(item.edit for item in loosened)
    return (_with_nodes(questions, more) if more else questions).possible(edit)


def _with_nodes(questions: Questions, more: tuple[Node, ...]) -> Questions:
    return questions.with_nodes(replace(questions.problem, nodes=(*questions.problem.nodes, *more)))


def _cost(questions: Questions, item: Loosening) -> tuple[int | None, bool]:
    """What the nodes and links of the whole plan cost after a loosening; roughly, from pools, on a large fleet."""
    if item.nodes:
        questions = _with_nodes(questions, item.nodes)
    if is_small(questions.problem):
        asked = questions.priced(item.edit)
        found = solve(asked.form, asked.problem, None, OTHER_PLAN_WORK)
        return (price_per_hour(found.plan, asked.problem), False) if found.plan is not None else (None, True)
    programme = questions.programme(item.edit, full=False)
    questions.meter.solved(programme.rows, A_PRICE)
    form = programme.form
    solution = minimise(programme.rows, form.cost, programme.narrow())
    if solution is None:
        return None, True
    price = questions.problem.policy.pool
    spent = (price(pool).price_millicents_per_hour * solution.value[at] for pool, at in form.powered.items())
    links = sum(solution.value[at] for at in form.carried)
    return round(float(sum(spent) + links)), True
