"""The packing of nodes with devices against trying everything, on one tiny fleet."""

from typing import Final

from proving import Engine, Tried, close, gap
from small_fleets import drawn, least_cost

from controller.planning.fleet.device_bound import prices
from controller.planning.fleet.device_check import broken
from controller.planning.fleet.device_packing import packings
from controller.planning.fleet.devices import cost

STEPS: Final = 1_000
ROUNDINGS: Final = 2
ROUNDS: Final = 3
ROUNDING: Final = 1e-6


def tried(seed: int) -> Tried:
    """Pack one fleet; every other one counts nodes."""
    problem = drawn(seed, counting=seed % 2 == 1)
    least = least_cost(problem)
    guide = prices(problem, ROUNDINGS, ROUNDS)
    *_, best = packings(problem, guide, STEPS, seed)
    paid = cost(problem, best.plan)
    wrong = [f"search: {each}" for each in broken(problem, best.plan)]
    if not close(paid, best.cost):
        wrong.append(f"search: its plan costs {paid:.9f}, not {best.cost:.9f}")
    if gap(paid, least) < 0:
        wrong.append(f"search: its plan costs {paid:.9f}, the best {least:.9f}")
    if guide.bound > least + ROUNDING:
        wrong.append(f"bound: {guide.bound:.9f} is above the best, {least:.9f}")
    return Tried(tuple(wrong), (Engine("search", gap(paid, least)), Engine("bound", -gap(guide.bound, least))))
