"""What the demo has seen, as plain data: the report and the checks of the acts read nothing else."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Act:
    """One act of the story. Times are seconds since the demo began."""

    name: str
    expected: str
    observed: str
    held: bool
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Call:
    """One pipeline run of the load generator: when it was meant to start, and how long it took from then."""

    at_s: float
    service: str
    origin: str
    latency_ms: float
    ok: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """The fleet at one moment: instances and routed requests by site, and what the nodes cost."""

    at_s: float
    instances: dict[str, int]
    served: dict[str, int]
    dollars_per_hour: float


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision of the controller, with the instances that it wants by placement."""

    at_s: float
    verdict: str
    summary: str
    wanted: dict[str, int]
    findings: tuple[str, ...]


@dataclass(slots=True)
class Recording:
    """Everything, growing while the demo runs. `objective_ms` is by service."""

    objective_ms: dict[str, float]
    acts: list[Act] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    decisions: list[Decided] = field(default_factory=list)

    def between(self, service: str, start_s: float, end_s: float) -> list[Call]:
        """The calls of a service that were meant to start in a span."""
        return [call for call in self.calls if call.service == service and start_s <= call.at_s < end_s]


def percentile_ms(calls: list[Call], percent: float) -> float | None:
    """A percentile of the calls that were answered (nearest rank); None when there is none."""
    answered = sorted(call.latency_ms for call in calls if call.ok)
    if not answered:
        return None
    rank = max(1, -int(-len(answered) * percent // 100))
    return answered[min(rank, len(answered)) - 1]
