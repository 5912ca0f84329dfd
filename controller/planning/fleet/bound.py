"""What every plan of a fleet costs at least, proven, and better proven the longer it is worked on.

Models meet only on nodes. So let room have a price u_s for each size s of each pool; models pay it instead of nodes,
and nodes collect it (Lagrangian relaxation; Dantzig and Wolfe's decomposition into models and nodes). Whatever the
prices, no plan costs less than

    L(u) = sum over models of min(their own costs + u * instances)
         - sum over pools of nodes * max(0, most that a node can collect - its price)

since a plan's instances pay at most what its nodes can collect. It does not matter for that where the prices come from;
`price_master` has good ones.

L is two sums of fewer than a million numbers, none of them negative and each at most a few times 2^-53 of it off, so
ROUNDING of both is more than they lose (Higham, Accuracy and Stability of Numerical Algorithms, 4.2).
"""

from typing import Final

import numpy as np

from controller.planning.fleet.model_minima import find_minima, nothing_planned, room
from controller.planning.fleet.node_contents import sizes
from controller.planning.fleet.offers import offers
from controller.planning.fleet.packed import Floats, PackedProblem
from controller.planning.fleet.price_master import Plans, best_numbers, by_kind, by_pool, by_size
from controller.planning.fleet.slot_prices import gains, nodes

ROUNDING: Final = 1e-9
SLACK: Final = 1e-4
"""Of a model's cost: plans that are cheaper by less are not looked for."""
LOOKS: Final = 20_000
"""Subsets of a model that are looked at in a first round: 600 half-made plans with 5 demands; most need some dozens."""
MOST_LOOKS: Final = 4_000_000
"""In a round, by all models together for which LOOKS do not suffice: about a second."""
BOXES: Final = (0.2, 0.2, 0.02)
"""How wide the boxes are at first, of the three masters that follow each other (`price_master`)."""
NARROW: Final = 0.01
"""A box: it is time for the next master, if there is one."""
NEAR: Final = 1e-3
"""Of the bound: so little more that a master promises is not worth another round."""
WORTH_IT: Final = 0.3
"""Of what a box promised: a step that brings as much shows that the box can be wider."""


class Bound:
    """A proven lower bound, dollars an hour. The same rounds give the same bound."""

    def __init__(self, problem: PackedProblem) -> None:
        sized = sizes(problem)
        self._start_price = problem.start_price
        self._offers = offers(problem, sized)
        self._nodes = nodes(problem, sized)
        self._minima = nothing_planned(self._offers)
        self._room = room(self._offers)
        self._looks = np.full(self._minima.length.size, LOOKS)
        self._plans = Plans(len(sized.use))
        self._master, self._starts = by_kind(problem, sized, self._nodes)
        self._by_size = by_size(problem, sized, self._nodes)
        self._stage = 0
        self._centre, self._box = np.zeros(self._master.scale.size), BOXES[0]
        self.proven = 0.0
        """No cost is negative."""

    def improve(self) -> float:
        """One round."""
        start = next(self._starts, None)
        if start is None:
            self._step()
        else:
            self._try(start)
        return self.proven

    def _step(self) -> None:
        """Go where all plans seen so far say that it is best, or half the way."""
        before, centre = self.proven, self._centre
        best, promised = best_numbers(self._master, self._plans, self._looks.size, centre, self._box)
        open_costs = min(self._try(best), self._try((centre + best) / 2))
        won, hoped = self.proven - before, promised - before
        self._box *= 2.0 if won > WORTH_IT * hoped else 1.0 if won > 0 else 0.5
        if hoped - open_costs < NEAR * self.proven or self._box < NARROW:
            self._refine()
        if open_costs > hoped / 2:
            self._look_deeper()

    def _refine(self) -> None:
        """Let the prices differ in more ways."""
        prices = self._master.prices @ self._centre
        if self._stage == 0:
            self._master, self._centre = by_pool(self._nodes, prices), np.ones(self._nodes.number.size)
        elif self._stage == 1:
            self._master, self._centre = self._by_size, prices
        else:
            return
        self._stage += 1
        self._box = BOXES[self._stage]

    def _try(self, numbers: Floats) -> float:
        """Bound with these numbers; what the models' plans cost beyond what is proven of them."""
        prices = self._master.prices @ numbers
        cost = self._offers.price + prices[self._offers.size]
        looks = np.maximum(1, self._looks // np.diff(self._offers.first_subset))
        find_minima(self._offers, cost, self._start_price, SLACK, looks, self._room, self._minima)
        self._plans.add(self._minima, self._offers, prices)
        models, collected = float(self._minima.lower.sum()), gains(prices, self._nodes)
        value = models - collected - ROUNDING * (models + collected)
        if value > self.proven:
            self.proven, self._centre = value, numbers
        return float((self._minima.cost - self._minima.lower).sum())

    def _look_deeper(self) -> None:
        """Give models whose plans are not proven more room in time, and bound again where the bound is best."""
        unproven = self._minima.cost - self._minima.lower > 2 * SLACK * self._minima.cost
        if unproven.any():
            self._looks[unproven] = np.minimum(4 * self._looks[unproven], MOST_LOOKS // unproven.sum())
            self._try(self._centre)
