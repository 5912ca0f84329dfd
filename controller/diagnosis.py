"""Where a demand's latency goes: what was predicted of each part of its way, and what was seen of it.

A server's spans tell how long requests waited there (for an instance, and for company in a batch) and how long they
were computed. What callers see beyond that, and beyond what encoding and decoding inputs is declared to take, is the
way: networks, gateways, and turning requests and answers into bytes and back. Percentiles of parts do not add up to
that of the whole, so parts are compared with parts.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.snapshot import Quantiles, Snapshot, StageTimes
from controller.decision import Decision, Forecast
from controller.performance.bursts import burst_of
from controller.performance.pipeline import chains, travelled
from controller.performance.surface import LEVELS
from controller.planning.beside import in_plan
from controller.planning.network import coding_us, network_us
from controller.planning.options import Speeds, speeds
from controller.planning.outlook import first_response_us, utilisations
from controller.planning.stages import HOP_US, At, stage_quantiles_us
from policy.resolved import Policy, Stage
from rules.kernel.problem import Demand, Option, Problem

END_TO_END: Final = "end to end"
FIRST_RESPONSE: Final = "until the response begins"
THE_WAY: Final = "network, gateways, serialisation"
ENCODING: Final = "encoding and decoding"
WAITING: Final = "waiting for an instance"
COMPUTING: Final = "computing"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the way, with its p50 and p99 in us as predicted and as seen; None where nothing was seen.

    Where a request makes several `calls` at once the prediction is of the slowest of them, and a server sees each.
    `slowdown` is how many times longer the part is predicted than without neighbours on the device.
    """

    stage: str
    what: str
    predicted_us: tuple[int, int]
    seen_us: tuple[int, int] | None
    calls: int = 1
    slowdown: float = 1.0


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The parts of a demand's way; `cause` is the index of the one that differs most, None where all is as predicted.

    The first part is the whole. Where an objective speaks of the first response, the second is the time until it
    begins, which nothing that is collected tells of.
    """

    service: str
    origin: str
    parts: tuple[Part, ...]
    cause: int | None


@dataclass(frozen=True, slots=True)
class Case:
    """A decision, the problem that it was taken on, and what was observed then."""

    problem: Problem
    decision: Decision
    snapshot: Snapshot

    def whole(self, demand: Demand) -> Quantiles | None:
        """What the callers of a demand saw."""
        for item in self.snapshot.latency:
            if (item.service, item.origin) == (demand.service, demand.origin):
                return item.reading.fresh(self.decision.at, self._stale_after())
        return None

    def times(self, option: Option) -> StageTimes | None:
        """What the server of an option told of its requests."""
        place = option.placement
        found = (
            work.times.fresh(self.decision.at, self._stale_after())
            for work in self.snapshot.work
            if (work.pool, work.model, work.variant) == (place.pool, place.model, place.variant)
        )
        return next((times for times in found if times is not None), None)

    def _stale_after(self) -> timedelta:
        return timedelta(seconds=self.problem.policy.scaling.stale_after_s)


class _Leg(NamedTuple):
    """A stage on a route: samples of the way there and back in us, what coding takes, and what its server does."""

    way_us: NDArray[np.float64]
    coding_us: int
    waiting: Part
    computing: Part


def diagnose(case: Case, service: str) -> tuple[Diagnosis, ...]:
    """The parts of the way of each demand of a service, along the route that most of it takes."""
    found = []
    for forecast in case.decision.forecasts:
        if forecast.service == service and forecast.served_permille:
            parts = tuple(_parts(case, forecast))
            found.append(Diagnosis(service, forecast.origin, parts, _cause(parts)))
    return tuple(found)


def _parts(case: Case, forecast: Forecast) -> Iterator[Part]:
    problem, plan = case.problem, case.decision.plan
    demand = next(d for d in problem.demands if (d.service, d.origin) == (forecast.service, forecast.origin))
    routes = [route for route in plan.routes if problem.path(route.path).demand == demand.id]
    path = problem.path(max(routes, key=lambda route: route.share_permille).path)
    known = case.decision.state
    speed = in_plan(plan, problem, speeds(problem.policy, known.learnt, known.interference))
    busy = utilisations(plan, problem, speed)
    burst = burst_of(known.bursts, demand.service, demand.origin)
    stages = problem.service_of(demand).stages
    legs = []
    for at, (stage, option) in enumerate(zip(stages, map(problem.option, path.options), strict=True)):
        total_us = stage_quantiles_us(
            problem.policy, stage, option, speed, At(plan.count([option.id]), busy[option.id], burst)
        )
        waiting, computing = _server(problem.policy, stage, option, speed, total_us - HOP_US)
        times = case.times(option)
        encoding = path.encoding(at)
        coded_us = coding_us(stage, encoding)
        legs.append(
            _Leg(
                network_us(problem.policy, demand, stage, option, encoding) + HOP_US - coded_us,
                coded_us,
                replace(waiting, seen_us=_both(times.queue if times else None)),
                replace(computing, seen_us=_both(times.compute if times else None)),
            )
        )
    whole = case.whole(demand)
    yield Part("", END_TO_END, (forecast.p50_us, forecast.p99_us), _both(whole))
    if forecast.first_p99_us:
        p50, _, p99 = first_response_us(plan, problem, speed, demand, known.bursts)
        yield Part("", FIRST_RESPONSE, (p50, p99), None)
    yield _way(chains(stages), legs, whole, demand)
    for stage, leg in zip(stages, legs, strict=True):
        if leg.coding_us:
            yield Part(stage.name, ENCODING, (leg.coding_us, leg.coding_us), None)
        yield from (leg.waiting, leg.computing)


def _server(
    policy: Policy, stage: Stage, option: Option, speed: Speeds, total_us: NDArray[np.float64]
) -> tuple[Part, Part]:
    """Waiting and computing at a stage as predicted. What is beyond the time of one request alone counts as waiting."""
    place = option.placement
    compute_us = speed.batch_us(place, policy.pool(place.pool).device, 1)
    p50, p99 = (max(0, round(float(total_us[LEVELS * bp // 10_000 - 1])) - compute_us) for bp in (5000, 9900))
    computing = Part(stage.name, COMPUTING, (compute_us, compute_us), None, slowdown=speed.slowdowns.get(place, 1.0))
    return Part(stage.name, WAITING, (p50, p99), None, stage.fanout), computing


def _way(
    ways: tuple[tuple[int, ...], ...],
    legs: list[_Leg],
    whole: Quantiles | None,
    demand: Demand,
) -> Part:
    """What is left of the median when waiting, computing and coding along the longest chain are taken away.

    It cannot be told where a stage makes several calls: the slowest of them, which counts, is in nobody's median.
    """
    longest = max(ways, key=lambda way: sum(_about_us(legs[i]) for i in way))
    p50_us, p99_us = np.quantile(np.sum([travelled(i, legs[i].way_us) for i in longest], axis=0), (0.5, 0.99))
    served = [part for i in longest for part in (legs[i].waiting, legs[i].computing)]
    medians = [part.seen_us[0] for part in served if part.seen_us]
    seen = None
    if whole is not None and all(part.calls == 1 for part in served) and len(medians) == len(served):
        left_us = max(0, whole.p50_us - sum(medians) - sum(legs[i].coding_us for i in longest))
        seen = (left_us, left_us)
    return Part(demand.origin, THE_WAY, (round(p50_us), round(p99_us)), seen)


def _about_us(leg: _Leg) -> float:
    """About what a stage takes without waiting."""
    return float(leg.way_us.mean()) + leg.coding_us + leg.computing.predicted_us[0]


def _both(quantiles: Quantiles | None) -> tuple[int, int] | None:
    return (quantiles.p50_us, quantiles.p99_us) if quantiles else None


def _cause(parts: tuple[Part, ...]) -> int | None:
    """The part whose p99 differs most from its prediction, when it differs by a tenth of the whole's or more."""
    differences = [_difference_us(part) for part in parts[1:]]
    if not differences or max(differences) * 10 < parts[0].predicted_us[1]:
        return None
    return 1 + differences.index(max(differences))


def _difference_us(part: Part) -> int:
    """How far apart the p99s are. That single calls wait less than the slowest of several is no difference."""
    if part.seen_us is None:
        return 0
    difference_us = part.seen_us[1] - part.predicted_us[1]
    return max(0, difference_us) if part.calls > 1 else abs(difference_us)
