"""Carrying the steps out on a server, one after another, until all is known, the time is up or the server suffers."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final, Protocol

import numpy as np

from collectors.snapshot import BatchTime
from controller.performance.arrivals import poisson_us
from controller.performance.prediction import PERCENTILES, predict
from controller.performance.serving import Batching, Load, PerBatch, ServiceTimes, capacity_rps
from controller.profiling.deciding import CheckLoad, Goal, MeasureBatch, MeasureInstances, Step, next_step
from controller.profiling.measured import BatchPoint, CheckPoint, InstancePoint, Progress, Run
from controller.profiling.sampling import enough, relative_error, spread, suffering

CLIENTS_AN_INSTANCE: Final = 2
"""One request is executed while the next one waits."""
CHECK_REQUESTS: Final = 1_000
CHECK_S: Final = 20.0
MOST_RPS: Final = 250.0
"""An asyncio client needs about 1 ms of CPU a request; beyond this it measures itself."""
MOST_SECONDS: Final = 30.0
"""What one run may take of the time that there is."""
LEAST_SECONDS: Final = 2.0
ARRIVAL_SEED: Final = 5


class Server(Protocol):
    """A model on a server, as far as it is measured."""

    @property
    def batching(self) -> Batching:
        """How single requests are batched by one instance."""
        ...

    @property
    def gap(self) -> PerBatch:
        """What passes between two executions of an instance."""
        ...

    async def closed_loop(
        self, batch: int, clients: int, done: Callable[[Sequence[float]], bool], seconds: float
    ) -> Run:
        """So many clients that send the next request at the end of the last, until `done` or the time is up."""
        ...

    async def open_loop(self, due_s: Sequence[float]) -> tuple[Run, float]:
        """Single requests at these times; the run, and how late in us the latest of a hundred was sent."""
        ...

    async def resize(self, instances: int) -> int:
        """Load the model anew with so many instances; the time in us that it took. Raises ResizeError."""
        ...

    async def memory_mib(self) -> int | None:
        """The memory that the server's devices have in use; None when they do not tell."""
        ...


class ResizeError(Exception):
    """The server does not let the number of instances be changed; the message says why."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What the driver tells about its work: before a step, and after each one that brought something."""

    begun: Callable[[Step], None]
    saved: Callable[[Progress], None]


async def measure(
    server: Server,
    goal: Goal,
    progress: Progress,
    deadline_s: float,
    watch: Watch,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """All points that the goal asks for, those of `progress` included, as far as the clock lets it."""
    while (step := next_step(progress, goal)) is not None:
        left_s = deadline_s - clock()
        if left_s < LEAST_SECONDS:
            note = f"the time was up before {told(step)}: run it again to go on, or give it a larger budget"
            return replace(progress, notes=(*progress.notes, note))
        watch.begun(step)
        seconds = min(MOST_SECONDS, left_s)
        match step:
            case MeasureBatch():
                progress = await _batch(server, goal, progress, step, seconds)
            case MeasureInstances():
                progress = await _instances(server, goal, progress, step, seconds)
            case CheckLoad():
                progress = await _check(server, goal, progress, step, seconds)
        watch.saved(progress)
        if not progress.batches:
            return progress
    return progress


def told(step: Step) -> str:
    """The step in words."""
    match step:
        case MeasureBatch():
            return f"batches of {step.batch}"
        case MeasureInstances():
            return f"{step.instances} instance" + ("s" if step.instances > 1 else "")
        case CheckLoad():
            return f"single requests at {100 * step.utilisation:.0f} % of the capacity"


async def _batch(server: Server, goal: Goal, progress: Progress, step: MeasureBatch, seconds: float) -> Progress:
    run = await server.closed_loop(step.batch, 1, lambda seen: enough(seen, goal.error), seconds)
    trouble = _trouble(run, goal)
    if trouble:
        known = max((point.batch for point in progress.batches), default=0)
        largest = max(known, step.batch // 2) if known else None
        note = f"{told(step)}: {trouble}"
        return replace(progress, largest=largest, notes=(*progress.notes, note))
    mean_us = _server_mean_us(run.times, step.batch) or fmean(run.latencies_us)
    point = BatchPoint(
        batch=step.batch,
        requests=len(run.latencies_us),
        mean_us=mean_us,
        relative_error=relative_error(run.latencies_us),
        spread=spread(run.latencies_us),
        client_mean_us=fmean(run.latencies_us),
        client_p99_us=float(np.percentile(run.latencies_us, 99)),
        memory_mib=await server.memory_mib(),
    )
    return replace(progress, batches=tuple(sorted((*progress.batches, point), key=lambda item: item.batch)))


async def _instances(
    server: Server, goal: Goal, progress: Progress, step: MeasureInstances, seconds: float
) -> Progress:
    size = progress.batches[-1].batch
    try:
        load_us = await server.resize(step.instances)
    except ResizeError as error:
        return replace(progress, most_instances=step.instances - 1, notes=(*progress.notes, str(error)))
    clients = CLIENTS_AN_INSTANCE * step.instances
    run = await server.closed_loop(size, clients, lambda seen: enough(seen, goal.error), seconds)
    if trouble := _trouble(run, goal):
        note = f"{told(step)}: {trouble}"
        return replace(progress, most_instances=step.instances - 1, notes=(*progress.notes, note))
    point = InstancePoint(step.instances, size, run.answered_rps, load_us, await server.memory_mib())
    return replace(progress, instances=(*progress.instances, point))


async def _check(server: Server, goal: Goal, progress: Progress, step: CheckLoad, seconds: float) -> Progress:
    batching = server.batching
    service = service_times(progress.batches, batching.max_batch, server.gap)
    capacity = capacity_rps(service, batching)
    rate_rps = min(step.utilisation * capacity, MOST_RPS)
    requests = max(1, int(min(CHECK_REQUESTS, rate_rps * min(seconds, CHECK_S))))
    predicted = predict(service, batching, Load(rate_rps), window=requests)
    run, late_us = await server.open_loop((poisson_us(rate_rps, requests, ARRIVAL_SEED) / 1e6).tolist())
    notes = progress.notes
    if trouble := _trouble(run, goal, open_loop=True):
        notes = (*notes, f"{told(step)}: {trouble}")
    p50_us, p95_us, p99_us = np.percentile(run.latencies_us or (0.0,), PERCENTILES).tolist()
    point = CheckPoint(
        utilisation=step.utilisation,
        rate_rps=rate_rps,
        predicted_us=(predicted.p50.value_us, predicted.p95.value_us, predicted.p99.value_us),
        seen_us=(p50_us, p95_us, p99_us),
        late_p99_us=late_us,
    )
    return replace(progress, checks=(*progress.checks, point), notes=notes)


def service_times(points: Sequence[BatchPoint], max_batch: int, gap: PerBatch) -> ServiceTimes:
    """What the points say of batches up to `max_batch`, with lines between the sizes that were measured."""
    sizes, means_us = zip(*((point.batch, point.mean_us) for point in points), strict=True)
    curve = np.maximum.accumulate(np.interp(np.arange(max_batch + 1.0), sizes, means_us))
    around_us = min(point.client_mean_us - point.mean_us for point in points)
    return ServiceTimes(tuple(curve.tolist()), points[0].spread, gap, PerBatch(max(0.0, around_us)))


def _trouble(run: Run, goal: Goal, *, open_loop: bool = False) -> str | None:
    if not run.latencies_us:
        return f"none of {run.failed} requests was answered"
    return suffering(run, goal.latency_limit_us, open_loop=open_loop)


def _server_mean_us(times: Sequence[BatchTime], batch: int) -> float | None:
    return next((item.total_us / item.executions for item in times if item.batch == batch and item.executions), None)
