"""Every engine for fleets against trying everything, on one tiny instance of the reference format."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from every_place import least_cost
from placement_check import judged
from placement_instances import Instance, packed, plan_from, plan_to
from proving import Engine, Tried, close, gap
from small_places import place

from controller.decision import Proof
from controller.planning.fleet.anytime import Anytime
from controller.planning.fleet.bound import Bound
from controller.planning.fleet.exact import solve_exactly
from controller.planning.fleet.judge import judge
from controller.planning.fleet.neighbourhood import polished
from controller.planning.fleet.packed import EMPTY, PackedPlan
from controller.planning.fleet.search import Search

TRIES: Final = 200
TEMPERATURE: Final = 0.05
ROUNDS: Final = 2
PARTS_EVERY: Final = 10
ANYTIME_EVERY: Final = 20
"""These are asked in one instance of so many: they take longer than all the rest."""
ANYTIME_S: Final = 1.0
ROUNDING: Final = 1e-9
PROVEN: Final = 1e-4
"""How near an exact engine's own bound has to be: it rounds the price of each unserved request down."""


def tried(seed: int) -> Tried:
    """Solve one instance by each engine."""
    raw, previous = place(seed)
    least = least_cost(raw, previous)
    instance = packed(raw, previous)
    found = [_judged(raw, instance, previous, least, planned) for planned in _planned(instance, previous, seed)]
    bound = Bound(instance.problem)
    for _ in range(ROUNDS):
        bound.improve()
    too_high = bound.proven > least * (1 + ROUNDING) + ROUNDING
    wrong = [each for one, _ in found for each in one]
    wrong += [f"bound: {bound.proven:.9f} is above the best, {least:.9f}"] if too_high else []
    engines = [engine for _, engine in found]
    return Tried(tuple(wrong), (*engines, Engine("bound", -gap(bound.proven, least))))


class Planned(NamedTuple):
    """What an engine gives: a plan, what it says that costs, and the bound by which it says that none is cheaper."""

    engine: str
    plan: PackedPlan
    cost: float
    bound: float | None = None


def _planned(instance: Instance, previous: dict[str, Any] | None, seed: int) -> Iterator[Planned]:
    """Each engine's plan; some start from what runs, or from the plan of the one before."""
    problem = instance.problem
    start = plan_from(instance, previous) if previous and seed % 2 else EMPTY
    search = Search(problem, start, seed)
    search.run(TRIES, TEMPERATURE)
    yield Planned("search", search.plan, search.cost)
    if seed % PARTS_EVERY == 0:
        part = next(polished(problem, search.plan, seed), search.plan)
        yield Planned("parts", part, judge(problem, part).cost)
    exact = solve_exactly(problem, search.plan if seed % 2 else EMPTY)
    if exact.proof is Proof.OPTIMAL:
        yield Planned("exact", exact.plan, exact.cost, exact.bound)
    else:
        yield Planned("exact, not proven", exact.plan, exact.cost)
    if seed % ANYTIME_EVERY == 0:
        planning = Anytime(problem, start, seed)
        *_, last = planning.improve_for(ANYTIME_S)
        yield Planned("anytime", planning.plan, last.cost, last.bound)


def _judged(
    raw: dict[str, Any], instance: Instance, previous: dict[str, Any] | None, least: float, planned: Planned
) -> tuple[list[str], Engine]:
    """What is wrong with an engine's plan, and how far from the best it is."""
    total, errors = _total(raw, instance, planned.plan, previous)
    wrong = list(errors)
    if not close(total, planned.cost):
        wrong.append(f"its plan costs {total:.9f}, not {planned.cost:.9f}")
    if gap(total, least) < 0 or (planned.bound is not None and not close(total, least)):
        wrong.append(f"its plan costs {total:.9f}, the best {least:.9f}")
    if planned.bound is not None and not close(planned.bound, least, PROVEN):
        wrong.append(f"its bound is {planned.bound:.9f}, the best {least:.9f}")
    return [f"{planned.engine}: {each}" for each in wrong], Engine(planned.engine, gap(total, least))


def _total(
    raw: dict[str, Any], instance: Instance, plan: PackedPlan, previous: dict[str, Any] | None
) -> tuple[float, tuple[str, ...]]:
    """What a plan costs by the judge, starts included, and what is wrong with it."""
    found = judged(raw, plan_to(instance, plan), previous)
    return found.objective + (raw["params"]["churn_cost"] * found.started if previous else 0.0), found.errors
