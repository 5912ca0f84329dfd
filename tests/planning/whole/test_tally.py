"""Sums that are brought from plan to plan are those of each plan by itself."""

import numpy as np
import pytest
from numpy.random import Generator
from random_products import random_product

from controller.planning.build import write
from controller.planning.whole.reading import Reading, keeps
from controller.planning.whole.rows import Rows
from rules.kernel.formulation import Assurance, Budget, Flow, Formulation, Gathered, Ladder
from rules.kernel.problem import Problem

PART = 0.2
NOTHING = Reading.made({}, {}, {}, {})


def rows_of(problem: Problem) -> Rows:
    """The rules' rows, a budget for all nodes and paths, what is gathered and what is assured."""
    form = Formulation(list(write(problem).rows))
    names = [node.name for node in problem.nodes]
    nodes, paths = tuple((name, 30) for name in names), tuple((path.id, 7) for path in problem.paths)
    for ceiling in (60, 10 * len(nodes), 20 * len(nodes) + len(paths)):
        form.add(Budget("test", None, nodes, ceiling, paths))
    form.add(Gathered("test", None, tuple(option.id for option in problem.options), (*((name,) for name in names),)))
    demands = tuple((demand.id, 100) for demand in problem.demands)
    form.rows += [Assurance("test", None, row.service, 0, demands) for row in form.rows if isinstance(row, Ladder)]
    return Rows(problem, form)


def some_reading(rows: Rows, dice: Generator, before: Reading) -> Reading:
    """Another plan, of which most is as before."""
    problem = rows.problem
    counts, shares = dict(before.counts), dict(before.shares)
    unserved, levels = dict(before.unserved), dict(before.levels)
    for option in problem.options:
        for node in problem.nodes_of(option.placement.pool):
            if dice.random() < PART:
                counts[option.id, node.name] = int(dice.integers(0, 3))
    for path in problem.paths:
        if dice.random() < PART:
            shares[path.id] = int(dice.integers(0, 900))
    for demand in problem.demands:
        if dice.random() < PART:
            unserved[demand.id] = int(dice.integers(0, 300))
    for service, top in rows.tops.items():
        if dice.random() < PART:
            levels[service] = int(dice.integers(0, top + 1))
    return Reading.made(counts, shares, unserved, levels)


@pytest.mark.parametrize("seed", range(8))
def test_what_one_plan_after_the_other_breaks_is_what_each_breaks_by_itself(seed: int) -> None:
    rows, dice = rows_of(random_product(seed)), np.random.default_rng(seed)
    at, kept_and_broken = NOTHING, set[tuple[str, bool]]()
    for _ in range(30):
        at = some_reading(rows, dice, NOTHING if dice.random() < PART else at)
        alone = [row for row in rows.hard if not keeps(row, at, rows.tops)]
        assert list(rows.broken(at)) == alone
        for place, row in enumerate(rows.hard):
            if isinstance(row, Flow):
                assert rows.tally.of(at).sums[place] == at.flows(row)
            elif isinstance(row, Budget):
                assert rows.tally.of(at).sums[place] == at.spent(row)
            kept_and_broken.add((type(row).__name__, any(row is each for each in alone)))
    for kind in ("Flow", "Resource", "Budget", "Ladder", "Assurance", "Gathered"):
        assert {(kind, True), (kind, False)} <= kept_and_broken, kind
