"""A server with a clock of its own, whose batches take what a given curve says."""

from collections.abc import Callable, Sequence

import numpy as np

from collectors.snapshot import BatchTime
from controller.performance.serving import Batching, PerBatch, ServiceTimes, answered_us
from controller.profiling.measured import Progress, Run
from controller.profiling.running import ResizeError, Watch

REPLY_US = 500.0


class Simulated:
    """`fits` says how many instances the device runs at full speed; batches above `breaks_at` are refused."""

    def __init__(
        self,
        curve_us: Callable[[int], float],
        *,
        max_batch: int = 32,
        scatter: float = 0.02,
        fits: int = 2,
        breaks_at: int = 1_000,
        resizable: bool = True,
    ) -> None:
        self.curve_us = curve_us
        self.max_batch = max_batch
        self.scatter = scatter
        self.fits = fits
        self.breaks_at = breaks_at
        self.resizable = resizable
        self.instances = 1
        self.now_s = 0.0
        self.numbers = np.random.default_rng(3)

    @property
    def batching(self) -> Batching:
        return Batching(self.max_batch)

    @property
    def gap(self) -> PerBatch:
        return PerBatch()

    async def closed_loop(
        self, batch: int, clients: int, done: Callable[[Sequence[float]], bool], seconds: float
    ) -> Run:
        if batch > self.breaks_at:
            self.now_s += 1
            return Run((), clients, 1.0)
        latencies_us: list[float] = []
        total_us, took_s = 0.0, 0.0
        while not done(latencies_us) and took_s < seconds:
            time_us = self.curve_us(batch) * float(self.numbers.normal(1, self.scatter))
            total_us += time_us
            latencies_us.append(time_us + REPLY_US)
            took_s += latencies_us[-1] / 1e6 / min(clients, self.instances, self.fits)
        self.now_s += took_s
        return Run(tuple(latencies_us), 0, took_s, (BatchTime(batch, len(latencies_us), round(total_us)),))

    async def open_loop(self, due_s: Sequence[float]) -> tuple[Run, float]:
        curve_us = tuple(self.curve_us(max(1, batch)) for batch in range(self.max_batch + 1))
        service = ServiceTimes(curve_us, self.scatter, reply=PerBatch(REPLY_US))
        self.now_s += due_s[-1]
        return Run(tuple(answered_us(service, self.batching, 1e6 * np.array(due_s)).tolist()), 0, due_s[-1]), 0.0

    async def resize(self, instances: int) -> int:
        if not self.resizable:
            raise ResizeError("the server refused: start it with --model-control-mode=explicit")
        self.instances = instances
        self.now_s += 2
        return 2_000_000

    async def memory_mib(self) -> int | None:
        return None


def silent(saved: list[Progress] | None = None) -> Watch:
    return Watch(lambda _: None, saved.append if saved is not None else lambda _: None)
