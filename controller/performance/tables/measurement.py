"""One row of a table of measurements, whichever tool wrote it, and the sweeps that rows form."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Final

FEWEST_CONCURRENCIES: Final = 4
"""Two of a sweep's concurrencies are the least that tell a slope, and as many are needed to check it."""
FEWEST_BATCHES: Final = 3
"""Two ends, and one between them."""


@dataclass(frozen=True, slots=True, order=True)
class Setup:
    """What was measured: everything that a row states apart from the device, the batch and the concurrency.

    `engine` is what executes the model (Triton's backend and its accelerator); `settings` are further (name, value)
    pairs that tell two set-ups of one model apart.
    """

    model: str
    engine: str = ""
    precision: str = ""
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> tuple[str, str, str]:
        """The same for set-ups whose curves are alike: one model, executed in one way."""
        return (self.model, self.engine, self.precision)


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one closed-loop run showed: `concurrency` requests of `batch` items each are always under way.

    Latencies are of whole requests, in ms, and `outside_ms` is what the client and the network had of the mean.
    `throughput_ips` counts items. What a table does not state is None, save for batch and concurrency, which are 1
    then.
    """

    line: int
    setup: Setup
    device: str
    batch: int
    concurrency: int
    throughput_ips: float
    avg_ms: float | None
    p50_ms: float | None
    p90_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    outside_ms: float | None = None

    @property
    def mean_ms(self) -> float:
        """The mean latency: as measured, else by Little's law, concurrency * batch / throughput."""
        return self.avg_ms if self.avg_ms is not None else 1000 * self.concurrency * self.batch / self.throughput_ips

    @property
    def tail_ms(self) -> float:
        """The p99; the mean where a table has no p99."""
        return self.p99_ms if self.p99_ms is not None else self.mean_ms


Sweep = tuple[Measurement, ...]
"""Measurements that differ in one quantity alone, in its order."""


def concurrency_sweeps(rows: Iterable[Measurement]) -> list[Sweep]:
    """The sweeps over concurrency, everything else equal, that are long enough to predict from one half of them."""
    return _sweeps(
        rows, lambda row: (row.setup, row.device, row.batch), lambda row: row.concurrency, FEWEST_CONCURRENCIES
    )


def batch_sweeps(rows: Iterable[Measurement]) -> list[Sweep]:
    """The sweeps over the batch of a request, everything else equal, that have a size between their ends."""
    return _sweeps(rows, lambda row: (row.setup, row.device, row.concurrency), lambda row: row.batch, FEWEST_BATCHES)


def _sweeps(
    rows: Iterable[Measurement],
    same: Callable[[Measurement], Hashable],
    varied: Callable[[Measurement], int],
    fewest: int,
) -> list[Sweep]:
    groups: dict[Hashable, list[Measurement]] = defaultdict(list)
    for row in rows:
        groups[same(row)].append(row)
    ordered = (tuple(sorted(group, key=varied)) for group in groups.values())
    return [sweep for sweep in ordered if len({varied(row) for row in sweep}) >= fewest]
