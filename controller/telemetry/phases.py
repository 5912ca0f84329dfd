"""The phases of one turn: each a span, and its duration kept for the metrics."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.trace import Span, Tracer

from controller.decision import Decision


class Phases:
    """Spans and durations of one turn."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._seconds: list[tuple[str, float]] = []

    @contextmanager
    def __call__(self, name: str) -> Iterator[Span]:
        """`with phases("collect") as span:` times what is inside, as a child of the current span."""
        started = time.perf_counter()
        with self._tracer.start_as_current_span(name) as span:
            try:
                yield span
            finally:
                self._seconds.append((name, time.perf_counter() - started))

    @property
    def seconds(self) -> tuple[tuple[str, float], ...]:
        """(phase, seconds) in the order in which they ended."""
        return tuple(self._seconds)


def described(decision: Decision) -> Mapping[str, str | int]:
    """What a span tells of a decision."""
    return {
        "gridwright.decision": decision.id,
        "gridwright.policy_revision": decision.policy_revision,
        "gridwright.verdict": decision.verdict.value,
        "gridwright.proof": decision.proof.value,
        "gridwright.actions": sum(len(wave.actions) for wave in decision.transition.waves),
        "gridwright.cost_millicents_per_hour": decision.cost_millicents_per_hour,
        "gridwright.links_millicents_per_hour": decision.links_millicents_per_hour,
    }
