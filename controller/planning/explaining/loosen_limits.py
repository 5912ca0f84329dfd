"""Looser limits of clauses that bar whole paths: the latency, the cost of requests or the time to wake up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from controller.planning.explaining.clauses import Clause, Edit, changing
from controller.planning.explaining.loosening import Loosening, smallest
from controller.planning.explaining.questions import Questions
from policy.resolved import CostObjective, LatencyObjective, ScaleToZero, Service
from policy.waking import loads_for_us, seconds, time_to_load_us
from policy.words import counted, dollars
from rules.kernel.allocation import Allocation
from rules.kernel.formulation import Exclusion, Row
from rules.kernel.problem import Path, Problem
from rules.kernel.quantities import milliseconds, percentile
from rules.latency import Latency
from rules.unit_cost import UnitCost
from rules.wake_up import WakeUp


@dataclass(frozen=True, slots=True)
class _Limit:
    """What a clause allows, what it would have to allow for a path, and how that is said; in the clause's unit."""

    allowed: int
    needed: Callable[[Path], int]
    told: Callable[[int], str]


def higher_limit(asked: Questions, whole: Questions, clause: Clause, base: Edit) -> Iterator[Loosening]:
    """The limit raised to what the best path that it bars needs; nothing of a clause without a number."""
    limit = _limit(asked.problem, clause)
    if limit is None:
        return
    needed = {
        row.path: limit.needed(questions.problem.path(row.path))
        for questions in (whole, asked)
        for row in questions.rows_of.get(clause, ())
        if isinstance(row, Exclusion)
    }

    def looser(allowed: int) -> Edit:
        def change(row: Row) -> Row | None:
            return row if not isinstance(row, Exclusion) or needed[row.path] > allowed else None

        return changing(clause, base, change)

    found = smallest(sorted(set(needed.values())), lambda allowed: asked.possible(looser(allowed)))
    if found is not None:
        allowed, least = found
        yield Loosening(limit.told(allowed), allowed - limit.allowed, least, looser(allowed))


def _limit(problem: Problem, clause: Clause) -> _Limit | None:
    """The limit that a clause sets; None where it sets none that paths could miss."""
    asking = {demand.service for demand in problem.demands}
    for service in (each for each in problem.policy.services if each.name in asking):
        for objective in service.latency if clause.rule == Latency.id else ():
            if objective.place == clause.place:
                return _of_latency(objective)
        if clause.rule == UnitCost.id and service.cost and service.cost.place == clause.place:
            return _of_cost(service.cost, problem)
        asleep = service.scale_to_zero if clause.rule == WakeUp.id else None
        if asleep and asleep.place == clause.place:
            return _of_sleep(service, asleep, problem)
    return None


def _of_latency(objective: LatencyObjective) -> _Limit:
    """In us, as predicted."""
    of_what = percentile(objective.percentile_bp) + (" of the first response" if objective.of_first else "")
    before = milliseconds(objective.below_us)
    return _Limit(
        objective.below_us,
        lambda path: path.promised_us(objective),
        lambda below_us: f"allow {milliseconds(below_us)} at {of_what} instead of {before}",
    )


def _of_cost(objective: CostObjective, problem: Problem) -> _Limit:
    """In millicents for the requests that the objective speaks of."""
    allocation = Allocation(problem)
    before = f"{counted(objective.requests, 'request')} instead of {dollars(objective.below_millicents)}"
    return _Limit(
        objective.below_millicents,
        lambda path: -(-objective.requests * allocation.of_a_request(path) // 1),
        lambda below_millicents: f"allow {dollars(below_millicents)} for {before}",
    )


def _of_sleep(service: Service, clause: ScaleToZero, problem: Problem) -> _Limit:
    """In us that waking up may take: as much longer as loading does."""
    before_us = clause.wake_up_us - time_to_load_us(clause, problem.policy.scaling)

    def needed_us(path: Path) -> int:
        options = map(problem.option, dict.fromkeys(path.options))
        return before_us + loads_for_us(service, ((option.placement.pool, option.load_us) for option in options))

    return _Limit(
        clause.wake_up_us,
        needed_us,
        lambda wake_up_us: f"let waking up take {seconds(wake_up_us)} instead of {seconds(clause.wake_up_us)}",
    )
