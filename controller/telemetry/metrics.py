"""Prometheus metrics of what happened, turn by turn: counters and histograms."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from controller.decision import Verdict
from controller.loop.status import Status

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class TurnMetrics:
    """What happened over all turns; give `observe` to the runner to watch with."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._turns = Counter(
            "gridwright_turns", "Turns of the loop, by what came of them", ["result"], registry=registry
        )
        self._phases = Histogram(
            "gridwright_phase_seconds",
            "How long each phase of a turn took",
            ["phase"],
            registry=registry,
            buckets=BUCKETS,
        )
        self._actions = Counter(
            "gridwright_actions",
            "Actions on the fleet, by kind and by what came of them",
            ["action", "result"],
            registry=registry,
        )
        self._seen = ""

    def observe(self, status: Status) -> None:
        """Count the turn that just ended."""
        self._turns.labels(_result(status)).inc()
        for phase, seconds in status.phases:
            self._phases.labels(phase).observe(seconds)
        # A turn without a decision shows the outcomes of an earlier one.
        if status.decision is None or status.decision.id == self._seen:
            return
        self._seen = status.decision.id
        for outcome in status.outcomes:
            self._actions.labels(type(outcome.action).__name__, outcome.result).inc()


def _result(status: Status) -> str:
    if status.failed:
        return "failed"
    if not status.noted:
        return "unnoted"
    if status.in_force.policy is None or status.decision is None:
        return "idle"
    return {Verdict.KEEP: "kept", Verdict.CHANGE: "changed", Verdict.IMPOSSIBLE: "impossible"}[status.decision.verdict]
