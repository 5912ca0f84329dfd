"""The best plan of a small fleet, with its proof; of a larger one the best that some work finds, and how good it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from controller.decision import Proof
from controller.planning.fleet.cpsat import PackedForm, Part
from controller.planning.fleet.packed import EMPTY, PackedPlan, PackedProblem
from controller.planning.fleet.program import Limits
from controller.planning.fleet.rooms import rooms

WORK: Final = Limits(work=4.0)


@dataclass(frozen=True, slots=True)
class Exact:
    """A plan and its cost in dollars an hour, what no plan can cost less than, and the work it took."""

    plan: PackedPlan
    cost: float
    bound: float
    proof: Proof
    work: float


def solve_exactly(
    problem: PackedProblem,
    hint: PackedPlan = EMPTY,
    limits: Limits = WORK,
    found: Callable[[PackedPlan], None] | None = None,
) -> Exact:
    """The cheapest plan, starting from `hint`, which can stand; `found` is told of better plans as they come.

    The same problem, hint and limits give the same plan. What is offered and asked is taken by grains (see `cpsat`).
    """
    form = _form(problem)
    answer = form.program.solve(
        limits, form.values(hint), None if found is None else lambda values: found(form.plan(values))
    )
    best = hint if answer.values is None else min(hint, form.plan(answer.values), key=form.cost)
    cost = form.cost(best)
    return Exact(best, cost, min(cost, max(0.0, answer.bound)), answer.proof, answer.work)


def undercut(problem: PackedProblem, plan: PackedPlan, cost: float, limits: Limits) -> Exact:
    """Some plan that costs less than `cost`, or else `plan`; where there is none, `cost` is the bound.

    That little is cheaper takes much less work to prove than that nothing is.
    """
    form = _form(problem)
    answer = form.program.undercut(limits, cost)
    best = plan if answer.values is None else form.plan(answer.values)
    bound = cost if answer.proof is Proof.INFEASIBLE else max(0.0, min(cost, answer.bound))
    return Exact(best, form.cost(best), bound, answer.proof, answer.work)


def _form(problem: PackedProblem) -> PackedForm:
    """The whole problem as a programme."""
    models, pools = np.arange(problem.first_option.size - 1), np.arange(problem.pool_nodes.size)
    part = Part(models, np.arange(problem.option_pool.size), rooms(problem, EMPTY, pools))
    return PackedForm(problem, part)
