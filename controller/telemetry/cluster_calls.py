"""Prometheus counters of what a Kubernetes API server was asked."""

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, Metric

CALLS: Final = "gridwright_cluster_calls_total"


def families(answered: Mapping[tuple[str, int], int]) -> Iterator[Metric]:
    """Calls by verb and status of HTTP, `none` where there was no answer."""
    calls = CounterMetricFamily(CALLS, "Calls to the API server, each attempt counted", labels=("verb", "status"))
    for (verb, status), count in sorted(answered.items()):
        calls.add_metric((verb.lower(), str(status) if status else "none"), count)
    yield calls
