"""What would end a conflict: for each of its clauses the smallest loosening with which everything is served.

Ceilings go up to what a plan needs; counts change by whole instances, sites and nodes; a pool has more nodes; a limit
on paths goes up to the prediction of the best path that it bars; of what bars uses, one reason falls away.

A loosening is looked for among the services of its conflict. Then the whole problem is asked again with it in force:
other conflicts may need one of their own beside it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from controller.planning.explaining.clauses import Clause, all_of, only
from controller.planning.explaining.conflict import Conflict, about
from controller.planning.explaining.loosen_room import more_room
from controller.planning.explaining.loosen_rows import loosenings
from controller.planning.explaining.loosened_price import Price, Pricing
from controller.planning.explaining.loosening import Loosening
from controller.planning.explaining.part import Part
from controller.planning.explaining.questions import Questions
from rules.kernel.formulation import Resource
from rules.kernel.plan import Plan
from rules.kernel.problem import Node


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One loosening that is enough for the services of its conflict: of which clause, in words, by how much.

    `least` tells whether a little less is proven not to be. `serves_all` tells whether everything is served in full
    with it and the loosenings of other conflicts `beside` it; None where that stayed undecided. The cost is what the
    plan costs an hour with this loosening: None where no plan was found, and a bound from below where `about` is true;
    where `at_most` is true too, the other services kept to their paths, and it costs no more.
    """

    clause: Clause
    what: str
    amount: int
    least: bool
    cost_millicents_per_hour: int | None
    about: bool
    serves_all: bool | None = None
    beside: tuple["Relaxation", ...] = ()
    at_most: bool = False


class Tried(NamedTuple):
    """A relaxation, with what it changes."""

    told: Relaxation
    by: Loosening


class Found(NamedTuple):
    """A loosening of a clause that is enough for the services of its conflict."""

    clause: Clause
    by: Loosening


def relaxations_of_all(
    questions: Questions, conflicts: Sequence[Conflict], plan: Plan | None = None
) -> list[tuple[Relaxation, ...]]:
    """For each conflict its relaxations; those that do not serve all alone are tried beside the first of the others.

    First all are found, then all are priced: where the limit of work is short of that, beside the `plan` in use.
    """
    found = [tuple(_loosenings(questions, conflict)) for conflict in conflicts]
    pricing = Pricing.of(questions, sum(map(len, found)), plan)
    tried = []
    for conflict, own in zip(conflicts, found, strict=True):
        others = [other for other in conflicts if other is not conflict]
        told = (_relaxation(questions, each, conflict, others, pricing) for each in own)
        tried.append(tuple(sorted(told, key=_order)))
    together = []
    for at, items in enumerate(tried):
        beside = tuple(ones[0] for other, ones in enumerate(tried) if other != at and ones)
        together.append(tuple(_beside(questions, item, beside) if beside else item.told for item in items))
    return together


def relaxations(questions: Questions, conflict: Conflict) -> tuple[Relaxation, ...]:
    """The smallest loosenings that end a conflict, those first with which the plan costs least."""
    return relaxations_of_all(questions, [conflict])[0]


def _loosenings(questions: Questions, conflict: Conflict) -> Iterator[Found]:
    """The smallest loosening of each clause of a conflict, among its services."""
    if not conflict.clauses:
        return
    services = frozenset(conflict.services)
    asked, clauses = about(questions, Part(services, frozenset(conflict.clauses)))
    everything = only(clauses)
    room = {clause for clause, rows in asked.rows_of.items() if isinstance(rows[0], Resource)}
    full = tuple(clause for clause in conflict.clauses if clause in room)
    if full:
        yield from (Found(full[0], item) for item in more_room(asked, full, everything))
    for clause in (clause for clause in conflict.clauses if clause not in room):
        yield from (Found(clause, item) for item in loosenings(asked, questions, clause, everything))


def _order(tried_one: Tried) -> tuple[bool, int, Clause, str]:
    item = tried_one.told
    return item.serves_all is not True, item.cost_millicents_per_hour or 0, item.clause, item.what


def _relaxation(
    questions: Questions, found: Found, conflict: Conflict, others: Sequence[Conflict], pricing: Pricing
) -> Tried:
    """A loosening, held to the whole problem."""
    item = found.by
    loose = _with_nodes(questions, item.nodes) if item.nodes else questions
    price = Price(None, about=True)
    if not questions.meter.is_over:
        price = pricing.price(loose, item.edit, frozenset(conflict.services))
    stays = not item.nodes and any(other.clauses and found.clause not in other.clauses for other in others)
    serves_all = False if stays else loose.possible(all_of([item.edit]))
    told = Relaxation(
        found.clause,
        item.what,
        item.amount,
        item.least,
        price.millicents,
        price.about,
        serves_all,
        at_most=price.at_most,
    )
    return Tried(told, item)


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
