"""What has been measured of a model so far."""

from dataclasses import dataclass

from collectors.snapshot import BatchTime


@dataclass(frozen=True, slots=True)
class Run:
    """What one closed or open loop showed: latencies in us in the order of sending, and what the server counted."""

    latencies_us: tuple[float, ...]
    failed: int
    seconds: float
    times: tuple[BatchTime, ...] = ()

    @property
    def answered_rps(self) -> float:
        """Requests answered a second."""
        return len(self.latencies_us) / self.seconds


@dataclass(frozen=True, slots=True)
class BatchPoint:
    """Executions of one batch size: the server's mean time, what clients saw, and how sure the mean is.

    `relative_error` is half of the mean's 95 % confidence interval over the mean, `spread` the coefficient of variation
    of one request, `memory_mib` what the devices had in use, None where they do not tell.
    """

    batch: int
    requests: int
    mean_us: float
    relative_error: float
    spread: float
    client_mean_us: float
    client_p99_us: float
    memory_mib: int | None = None


@dataclass(frozen=True, slots=True)
class InstancePoint:
    """So many instances kept busy: requests of `batch` items answered a second, and how long the load took."""

    instances: int
    batch: int
    answered_rps: float
    load_us: int
    memory_mib: int | None = None


@dataclass(frozen=True, slots=True)
class CheckPoint:
    """Single requests at random times, at a part of the capacity: p50, p95 and p99 in us as predicted and as seen."""

    utilisation: float
    rate_rps: float
    predicted_us: tuple[float, float, float]
    seen_us: tuple[float, float, float]
    late_p99_us: float


@dataclass(frozen=True, slots=True)
class Progress:
    """All points. `largest` is the largest batch worth trying, once a larger one was too much for the server."""

    batches: tuple[BatchPoint, ...] = ()
    instances: tuple[InstancePoint, ...] = ()
    checks: tuple[CheckPoint, ...] = ()
    largest: int | None = None
    most_instances: int | None = None
    notes: tuple[str, ...] = ()
