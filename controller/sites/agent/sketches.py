"""Times as they are told to the hub: one sketch for each subject and window, and no single request."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from datasketches import req_ints_sketch

from collectors.windows import ACCURACY_K, MAX_US
from controller.sites.report import Measure, Sketch

MOST_SUBJECTS: Final = 1000
Subject = tuple[Measure, tuple[str, ...]]


@dataclass(slots=True)
class _Times:
    sketch: req_ints_sketch = field(default_factory=lambda: req_ints_sketch(k=ACCURACY_K, is_hra=True))
    total: float = 0.0


class Sketches:
    """Collects times from one taking to the next; times of more than `MOST_SUBJECTS` subjects are left out.

    Of samples, times are in the sketch as they were observed, and `count` is the sum of what they stand for.
    """

    def __init__(self, now: datetime) -> None:
        self._since = now
        self._times: dict[Subject, _Times] = {}

    def add(self, measure: Measure, subject: tuple[str, ...], value_us: int, adjusted_count: float) -> None:
        """Take an observation; its value is clipped to 0 .. `MAX_US`."""
        key = measure, subject
        times = self._times.get(key)
        if times is None:
            if len(self._times) >= MOST_SUBJECTS:
                return
            times = self._times[key] = _Times()
        times.sketch.update(min(max(value_us, 0), MAX_US))
        times.total += adjusted_count

    def add_stage(self, stage: tuple[str, str, str], queue_us: int, compute_us: int, adjusted_count: float) -> None:
        """Take both times of a request at a pool's variant."""
        self.add(Measure.QUEUE, stage, queue_us, adjusted_count)
        self.add(Measure.COMPUTE, stage, compute_us, adjusted_count)

    def add_run(self, demand: tuple[str, str], took_us: int, adjusted_count: float) -> None:
        """Take how long a run of a service took for its caller, by service and origin."""
        self.add(Measure.RUN, demand, took_us, adjusted_count)

    def take(self, now: datetime) -> tuple[Sketch, ...]:
        """The sketches of what came since they were taken last; the next ones begin now."""
        since, self._since = self._since, now
        taken, self._times = self._times, {}
        window_s = (now - since).total_seconds()
        return tuple(
            Sketch(measure, subject, since, window_s, round(times.total), times.sketch.serialize())
            for (measure, subject), times in sorted(taken.items())
        )
