"""Synthetic runs of the service `call-vad`, and what Prometheus should make of them, as promtool's tests have it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from policy.findings import Place
from policy.resolved import LatencyObjective, Policy

ROOT = Path(__file__).parents[2]

FIRING = 'count by (severity, long) (ALERTS{alertstate="firing"})'


def series(origin: str, *, runs: str, slow: str, step: int = 1) -> list[Any]:
    """Both counters of an origin, minute by minute; with a step the notation is for every so many minutes."""
    labels = f'{{service="call-vad", origin="{origin}", below="0.4"}}'
    return [
        {"series": f"gridwright_runs_total{labels}", "values": _stretched(runs, step)},
        {"series": f"gridwright_slow_runs_total{labels}", "values": _stretched(slow, step)},
    ]


def _stretched(values: str, step: int) -> str:
    if step == 1:
        return values
    start, _, rest = values.partition("+")
    rise, _, count = rest.partition("x")
    written = (int(start) + int(rise) * (minute // step) for minute in range(int(count) * step))
    return " ".join(map(str, written))


def samples(at: str, expression: str, expected: list[tuple[str, int]]) -> Any:
    """What an expression gives at an instant."""
    told = [{"labels": labels, "value": value} for labels, value in expected]
    return {"expr": expression, "eval_time": at, "exp_samples": told}


def fired(at: str, *, page: list[str] | None = None, ticket: list[str] | None = None) -> Any:
    """The alerts that fire at an instant, by severity and long window; no others do."""
    firing = [("page", long) for long in page or []] + [("ticket", long) for long in ticket or []]
    return samples(at, FIRING, [(f'{{severity="{severity}", long="{long}"}}', 1) for severity, long in firing])


def ended(at: str) -> Any:
    """No alert fires."""
    return fired(at)


def promising(policy: Policy, *objectives: tuple[int, int, int, str]) -> Policy:
    """The policy whose service promises just these: (basis points, microseconds, seconds, origin)."""
    (service,) = policy.services
    latency = tuple(
        LatencyObjective(percentile_bp, below_us, window_s, Place("services.yaml", 7, 3), origin)
        for percentile_bp, below_us, window_s, origin in objectives
    )
    return replace(policy, services=(replace(service, latency=latency),))
