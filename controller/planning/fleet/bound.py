"""What every plan of a fleet costs at least, proven, and better proven the longer it is worked on.

Models meet only on nodes. So let room have a price u_s for each size s of each pool, let models pay it instead of nodes,
and let nodes collect it (Lagrangian relaxation; Dantzig-Wolfe by models and nodes). Whatever the prices, no plan costs
less than

    L(u) = sum over models of min(their own costs + u * instances)
         - sum over pools of nodes * max(0, most that a node can collect - its price)

since a plan's instances pay at most what its nodes can collect. L is concave; the prices are improved by the volume
algorithm (Barahona and Anbil 2000): from the best prices so far, towards where averaged plans want more room than nodes
supply, by a step of Polyak's length. Sums are of fewer than a million numbers that are not negative, each at most
2^-53 off, so ROUNDING covers what they lose (Higham, Accuracy and Stability of Numerical Algorithms, 4.2).
"""

import math
from typing import Final

import numpy as np

from controller.planning.fleet.model_minima import find_minima, nothing_planned, room
from controller.planning.fleet.search_desk import DEPTH
from controller.planning.fleet.node_contents import sizes
from controller.planning.fleet.offers import offers
from controller.planning.fleet.packed import Floats, PackedProblem
from controller.planning.fleet.slot_prices import first_prices, gains, match, nodes, within

ROUNDING: Final = 1e-9
SLACK: Final = 1e-4
"""Of a model's cost: plans that are cheaper by less are not looked for."""
LOOKS: Final = 60_000
"""Subsets of a model that are looked at in a round: 1,900 half-made plans for 5 demands; most models need some dozens."""
NEWEST: Final = 0.1
"""How much the plans of a round count beside all before them."""
PATIENCE: Final = 10
"""Rounds without a better bound after which steps become shorter."""


class Bound:
    """A proven lower bound, dollars an hour. The same rounds give the same bound."""

    def __init__(self, problem: PackedProblem) -> None:
        sized = sizes(problem)
        self._start = problem.start_price
        self._offers = offers(problem, sized)
        self._nodes = nodes(problem, sized)
        self._minima = nothing_planned(self._offers)
        self._room = room(self._offers)
        self._scale = first_prices(problem, sized)
        self._short = np.zeros(problem.pool_nodes.size)
        self._centre = self._scale.copy()
        within(self._centre, self._nodes, self._short)
        self._trial = self._centre
        self._wanted = np.zeros(self._scale.size)
        self._step, self._failed, self._rounds = 1.0, 0, 0
        self.proven = 0.0
        """No cost is negative."""

    def improve(self, known: float = math.inf) -> float:
        """One round; `known` is what the best plan costs that is known, and only sets the length of steps."""
        value = self._value(self._trial)
        newest = NEWEST if self._rounds else 1.0
        self._wanted += newest * (self._bought() - self._wanted)
        self._rounds += 1
        if value > self.proven:
            self.proven, self._centre, self._failed = value, self._trial, 0
            self._step = min(1.5, self._step * 1.1)
        else:
            self._failed += 1
            self._step *= 0.7 if self._failed % PATIENCE == 0 else 1.0
        self._trial = self._stepped(known)
        return self.proven

    def _value(self, prices: Floats) -> float:
        """L at these prices; the models' plans stand in `_minima`."""
        cost = self._offers.price + prices[self._offers.size]
        looks = LOOKS // np.diff(self._offers.first_subset)
        find_minima(self._offers, cost, self._start, SLACK, looks, self._room, self._minima)
        models, collected = float(self._minima.lower.sum()), gains(prices, self._nodes)
        return models - collected - ROUNDING * (models + collected)

    def _bought(self) -> Floats:
        """[Z]: instances of each size in the plans of all models."""
        bought = np.arange(DEPTH) < self._minima.length[:, np.newaxis]
        return np.bincount(self._offers.size[self._minima.plan[bought]], minlength=self._scale.size).astype(np.float64)

    def _stepped(self, known: float) -> Floats:
        """Prices a step away from the best so far."""
        supplied = np.empty(self._scale.size)
        match(self._centre, self._scale, self._wanted, self._nodes, supplied, self._short)
        along = self._scale * (self._wanted - supplied)
        square = float(along @ along)
        target = known if known < math.inf else self.proven * 1.05
        length = self._step * max(target - self.proven, 1e-4 * target) / square if square > 0 else 0.0
        prices = np.maximum(0.0, self._centre + length * self._scale * along)
        within(prices, self._nodes, self._short)
        return prices
