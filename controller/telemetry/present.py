"""Prometheus metrics of the present, read from the loop's status when they are scraped.

So an age is right at that moment, and a series that no longer exists is gone.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from collectors.objective_runs import ObjectiveRuns
from controller.decision import Decision
from controller.loop.status import Status, ages, readiness
from controller.telemetry import cluster_calls
from controller.telemetry.objectives import families

US: Final = 1_000_000
PREFIX: Final = "gridwright_"
READY: Final = f"{PREFIX}ready"
PLAN_INSTANCES: Final = f"{PREFIX}plan_instances"
ASLEEP: Final = f"{PREFIX}service_asleep"
MILLICENTS: Final = 100_000
"""In a dollar."""

Samples = Iterable[tuple[Sequence[str], float]]


class Present(Collector):
    """What the status says now; register it in a CollectorRegistry.

    `refused` gives how many posts of telemetry the receiver has refused since it started, `runs` how many runs there
    were for each latency objective, `asked` how often an API server of Kubernetes was asked, by verb and status.
    """

    def __init__(
        self,
        status: Callable[[], Status],
        clock: Callable[[], datetime],
        refused: Callable[[], int] = lambda: 0,
        runs: Callable[[], Sequence[ObjectiveRuns]] = tuple,
        asked: Callable[[], Mapping[tuple[str, int], int]] = dict,
    ) -> None:
        self._status = status
        self._clock = clock
        self._refused = refused
        self._runs = runs
        self._asked = asked

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask for a status."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Called by the registry at each scrape."""
        status, now = self._status(), self._clock()
        yield from _loop(status, now)
        yield from _policy(status)
        yield from _readings(status, now)
        if status.decision is not None:
            yield from _plan(status.decision)
            yield _asleep(status, status.decision)
            yield from _latency(status, status.decision)
        refused = CounterMetricFamily("gridwright_telemetry_refused", "Posts of telemetry that were refused")
        refused.add_metric((), self._refused())
        yield refused
        yield from families(self._runs())
        yield from cluster_calls.families(self._asked())


def _gauge(name: str, text: str, labels: Sequence[str], samples: Samples) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}{name}", text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _loop(status: Status, now: datetime) -> Iterator[Metric]:
    yield _gauge(READY.removeprefix(PREFIX), "1 while the loop does its work", (), [((), readiness(status, now).ready)])
    yield _gauge("journal_writable", "1 while the journal takes entries", (), [((), status.noted)])
    ended = [((), status.ended.timestamp())] if status.ended else []
    yield _gauge("last_turn_timestamp_seconds", "When the last turn ended", (), ended)
    counts = Counter((finding.id, finding.level.value) for finding in status.findings)
    yield _gauge("findings", "Findings of the last turn", ("id", "level"), counts.items())


def _policy(status: Status) -> Iterator[Metric]:
    labels = (status.in_force.revision, status.in_force.commit)
    yield _gauge("policy_info", "The policy in force", ("revision", "commit"), [(labels, 1)] if labels[0] else [])
    refused = status.in_force.refused_since is not None
    yield _gauge("policy_refused", "1 while the files are broken and an earlier policy stays", (), [((), refused)])


def _readings(status: Status, now: datetime) -> Iterator[Metric]:
    found = ages(status.snapshot, now) if status.snapshot else ()
    yield _gauge(
        "reading_age_seconds",
        "How old each reading is; a reading that is missing has no age",
        ("kind", "subject"),
        [((item.kind, item.subject), item.age.total_seconds()) for item in found if item.age is not None],
    )
    missing = Counter(item.kind for item in found if item.age is None)
    kinds = sorted({item.kind for item in found})
    yield _gauge(
        "readings_missing", "Readings without a value", ("kind",), [((kind,), missing[kind]) for kind in kinds]
    )


def _plan(decision: Decision) -> Iterator[Metric]:
    cost = decision.cost_millicents_per_hour / MILLICENTS
    yield _gauge("plan_cost_dollars_per_hour", "What the plan's nodes and links cost", (), [((), cost)])
    links = decision.links_millicents_per_hour / MILLICENTS
    yield _gauge("plan_links_dollars_per_hour", "What of that links cost", (), [((), links)])
    yield _gauge(
        PLAN_INSTANCES.removeprefix(PREFIX),
        "Instances that the plan asks for",
        ("model", "variant", "pool"),
        [
            ((placement.model, placement.variant, placement.pool), count)
            for placement, count in decision.fleet.instances().items()
        ],
    )
    yield _gauge(
        "plan_served_ratio",
        "The part of a demand that the plan serves",
        ("service", "origin"),
        [((item.service, item.origin), item.served_permille / 1000) for item in decision.forecasts],
    )


def _asleep(status: Status, decision: Decision) -> Metric:
    services = status.in_force.policy.services if status.in_force.policy else ()
    return _gauge(
        ASLEEP.removeprefix(PREFIX),
        "1 while a service that may scale to zero sleeps",
        ("service",),
        [((each.name,), each.name in decision.state.asleep) for each in services if each.scale_to_zero],
    )


def _latency(status: Status, decision: Decision) -> Iterator[Metric]:
    demand = ("service", "origin")
    yield _gauge(
        "predicted_p99_seconds",
        "End-to-end latency that the plan predicts",
        demand,
        [((item.service, item.origin), item.p99_us / US) for item in decision.forecasts],
    )
    observed = [
        ((item.service, item.origin), item.reading.value.p99_us / US)
        for item in (status.snapshot.latency if status.snapshot else ())
        if item.reading.value is not None
    ]
    yield _gauge("observed_p99_seconds", "End-to-end latency that callers saw", demand, observed)
    yield _gauge(
        "prediction_error_ratio",
        "Observed p99 over the one predicted for it, less 1",
        demand,
        [
            ((item.service, item.origin), item.observed_p99_us / item.predicted_p99_us - 1)
            for item in decision.errors
            if item.predicted_p99_us
        ],
    )
