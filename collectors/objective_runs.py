"""Runs by latency objective since the start, for error budgets: a window that ends takes nothing away from them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from policy.resolved import Service

Key = tuple[str, str, int]
"""A service, an origin, and what the latency must not exceed, in microseconds."""


@dataclass(frozen=True, slots=True)
class ObjectiveRuns:
    """How many runs that did not fail there were, and how many of them took longer than `below_us`."""

    service: str
    origin: str
    below_us: int
    runs: float
    slow: float


class RunCounts:
    """Counts of every objective of the services that the policy has now, beginning at zero.

    Two objectives of a demand with the same limit are one count. Those of objectives that are gone are forgotten.
    """

    def __init__(self, services: Callable[[], Sequence[Service]]) -> None:
        self._services = services
        self._known: Sequence[Service] | None = None
        self._limits_us: Mapping[tuple[str, str], tuple[int, ...]] = {}
        self._runs: defaultdict[Key, float] = defaultdict(float)
        self._slow: defaultdict[Key, float] = defaultdict(float)

    def add(self, service: str, origin: str, duration_us: int, weight: float) -> None:
        """Count a run; it stands for `weight` of them."""
        self._look()
        for limit_us in self._limits_us.get((service, origin), ()):
            self._runs[service, origin, limit_us] += weight
            self._slow[service, origin, limit_us] += weight if duration_us > limit_us else 0.0

    def totals(self) -> tuple[ObjectiveRuns, ...]:
        """What was counted, in order, also of objectives without a run."""
        self._look()
        keys = sorted((*demand, limit_us) for demand, limits_us in self._limits_us.items() for limit_us in limits_us)
        return tuple(ObjectiveRuns(*key, self._runs[key], self._slow[key]) for key in keys)

    def _look(self) -> None:
        services = self._services()
        if services is self._known:
            return
        self._known = services
        self._limits_us = {
            (service.name, origin.site): tuple(
                {each.below_us for each in service.end_to_end_from(origin.site) if not each.of_first}
            )
            for service in services
            for origin in service.origins
        }
        kept = {(*demand, limit_us) for demand, limits_us in self._limits_us.items() for limit_us in limits_us}
        for counts in (self._runs, self._slow):
            for gone in counts.keys() - kept:
                del counts[gone]
