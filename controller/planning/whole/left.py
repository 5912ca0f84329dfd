"""What is left to decide of a plan of which a part is open, and CP-SAT's answer to it."""

from typing import Final, NamedTuple

from controller.planning.objective import shortfall
from controller.planning.solve import solve
from controller.planning.whole.reading import Reading
from controller.planning.whole.residual import Open, fixed, joined, part, residual
from controller.planning.whole.view import View
from rules.kernel.formulation import Formulation, Penalty
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem

WORK: Final = 0.1
"""Deterministic time of a neighbourhood."""


class Left(NamedTuple):
    """What is left to decide, with the rows on it; what of a plan stays, and what of it is open."""

    problem: Problem
    form: Formulation
    stays: Reading
    before: Plan

    def solved(self, most: int | None = None, gap: int = 0) -> Plan | None:
        """The best part found for what is open, that costs at most so much."""
        return solve(self.form, self.problem, self.before, WORK, most=most, gap=gap).plan

    def without_giving_up_more(self) -> int | None:
        """What a plan costs at the most that gives up no more than now: a permille is worth more than all nodes.

        None where nothing can be given up.
        """
        prices = [price for row in self.form.rows if isinstance(row, Penalty) for _, price in row.unserved]
        return shortfall(self.before, self.form) + min(prices) if prices else None

    def with_part(self, found: Plan) -> Reading:
        """The whole plan with a part."""
        return joined(self.stays, Reading.of(found))


def left_of(view: View, at: Reading, opened: Open) -> Left:
    """What a plan leaves to decide where it is open."""
    stays = fixed(view.rows, at, opened)
    return Left(opened.problem, residual(view.rows, stays, opened), stays, part(at, opened).plan())
