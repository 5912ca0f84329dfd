"""Prometheus counters of the runs by latency objective: what error budgets are made of."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from prometheus_client.core import CounterMetricFamily, Metric

from collectors.objective_runs import ObjectiveRuns

RUNS: Final = "gridwright_runs_total"
SLOW_RUNS: Final = "gridwright_slow_runs_total"
_LABELS: Final = ("service", "origin", "below")


def seconds_text(us: int) -> str:
    """Microseconds as seconds, as they stand in the label `below`: 400000 is `0.4`."""
    text = f"{Decimal(us) / 1_000_000:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def families(totals: Iterable[ObjectiveRuns]) -> Iterator[Metric]:
    """Both counters."""
    runs = CounterMetricFamily(RUNS, "Runs that did not fail, by latency objective", labels=_LABELS)
    slow = CounterMetricFamily(SLOW_RUNS, "Those that took longer than the objective allows", labels=_LABELS)
    for each in totals:
        labels = (each.service, each.origin, seconds_text(each.below_us))
        runs.add_metric(labels, each.runs)
        slow.add_metric(labels, each.slow)
    yield from (runs, slow)
