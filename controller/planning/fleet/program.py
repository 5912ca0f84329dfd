"""Linear programmes in whole unknowns, as CP-SAT takes them: written straight into its own form, for there are many."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Final, NamedTuple

from ortools.sat.python import cp_model

from controller.decision import Proof

LARGEST_SUM: Final = 1e15
"""Of whole prices: twice a float's exact integers are still far away, and CP-SAT's own sums do not overflow."""
FINEST: Final = 12
"""Decimal places of a dollar."""

PROOFS: Final = {
    cp_model.OPTIMAL: Proof.OPTIMAL,
    cp_model.FEASIBLE: Proof.FEASIBLE,
    cp_model.INFEASIBLE: Proof.INFEASIBLE,
}


class Limits(NamedTuple):
    """How long to search."""

    work: float
    """CP-SAT's deterministic time: the same on every machine, so that the answer is the same."""
    seconds: float = 60.0
    """What ends by the clock may end otherwise the next time."""
    workers: int = 1
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """The best values found, None when there are none; what no values can cost less than, and the work it took."""

    values: list[int] | None
    bound: float
    proof: Proof
    work: float


class Program:
    """Unknowns have numbers; each lies between 0 and what was given as its highest."""

    def __init__(self) -> None:
        self.model = cp_model.CpModel()
        self.highest: list[int] = []
        self.price: list[float] = []
        self.rows: list[tuple[Sequence[int], Sequence[int], int, int]] = []

    def unknowns(self, highest: Sequence[int], price: Sequence[float]) -> range:
        """New unknowns, and what one of each costs, at least nothing."""
        first = len(self.highest)
        variables = self.model.proto.variables
        for most in highest:
            variables.add().domain.extend([0, most])
        self.highest += highest
        self.price += price
        return range(first, len(self.highest))

    def row(
        self,
        unknowns: Sequence[int],
        factors: Sequence[int],
        *,
        lowest: int = cp_model.INT_MIN,
        highest: int = cp_model.INT_MAX,
    ) -> None:
        """Demand that the sum of factor * unknown lies within the limits."""
        linear = self.model.proto.constraints.add().linear
        linear.vars.extend(unknowns)
        linear.coeffs.extend(factors)
        linear.domain.extend([lowest, highest])
        self.rows.append((unknowns, factors, lowest, highest))

    def scale(self) -> float:
        """How many of its whole units of money there are to a dollar."""
        total = sum(price * most for price, most in zip(self.price, self.highest, strict=True))
        return 10.0 ** min(FINEST, math.floor(math.log10(LARGEST_SUM / max(total, 1e-3))))

    def prices(self) -> list[int]:
        """The prices in whole units, rounded down, so that no bound is too high."""
        scale = self.scale()
        return [math.floor(price * scale) for price in self.price]

    def keeps(self, values: Sequence[int]) -> bool:
        """Whether these values are within all limits."""
        if any(not 0 <= value <= most for value, most in zip(values, self.highest, strict=True)):
            return False
        return all(
            lowest <= sum(map(mul, factors, map(values.__getitem__, unknowns))) <= highest
            for unknowns, factors, lowest, highest in self.rows
        )

    def solve(
        self, limits: Limits, hint: Sequence[int] | None = None, found: Callable[[list[int]], None] | None = None
    ) -> Answer:
        """The cheapest values; `found` is told of better and better ones as they come.

        Nothing dearer than a hint that can stand is looked at: CP-SAT then sees from the start what no longer pays.
        """
        proto, prices = self.model.proto, self._minimise()
        if hint is not None:
            proto.solution_hint.vars.extend(range(len(hint)))
            proto.solution_hint.values.extend(hint)
            if self.keeps(hint):
                proto.objective.domain.extend([0, sum(map(mul, prices, hint))])
        return self._answer(_solver(limits), found)

    def undercut(self, limits: Limits, cost: float) -> Answer:
        """The first values that cost no more than that; infeasible where there are none."""
        self._minimise()
        self.model.proto.objective.domain.extend([0, math.floor(cost * self.scale())])
        solver = _solver(limits)
        solver.parameters.stop_after_first_solution = True
        return self._answer(solver, None)

    def _minimise(self) -> list[int]:
        """State what is sought; the prices in whole units."""
        objective, prices = self.model.proto.objective, self.prices()
        priced = [(unknown, price) for unknown, price in enumerate(prices) if price]
        objective.vars.extend([unknown for unknown, _ in priced])
        objective.coeffs.extend([price for _, price in priced])
        objective.scaling_factor = 1 / self.scale()
        return prices

    def _answer(self, solver: cp_model.CpSolver, found: Callable[[list[int]], None] | None) -> Answer:
        status = solver.solve(self.model, None if found is None else _Told(len(self.highest), found))
        proof = PROOFS.get(status, Proof.UNDECIDED)
        values = list(solver.response_proto.solution) if proof in {Proof.OPTIMAL, Proof.FEASIBLE} else None
        return Answer(values, solver.best_objective_bound, proof, solver.deterministic_time)


class _Told(cp_model.CpSolverSolutionCallback):
    def __init__(self, unknowns: int, found: Callable[[list[int]], None]) -> None:
        super().__init__()
        self.unknowns = unknowns
        self.found = found

    def on_solution_callback(self) -> None:
        self.found([self.SolutionIntegerValue(unknown) for unknown in range(self.unknowns)])


def _solver(limits: Limits) -> cp_model.CpSolver:
    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.num_workers = limits.workers
    parameters.interleave_search = limits.workers > 1
    # Its own handler would outlive the solve and end the process at the next Ctrl-C, before anything is put in order.
    parameters.catch_sigint_signal = False
    parameters.random_seed = limits.seed
    parameters.linearization_level = 2
    parameters.subsolvers.extend(["reduced_costs"])
    parameters.max_deterministic_time = limits.work
    parameters.max_time_in_seconds = limits.seconds
    return solver
