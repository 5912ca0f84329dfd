"""Which points are measured: settings of a server, what its model takes, and how loaded it is."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

SEED = 7
OVERHEAD_US = 600.0
"""What the Python backend adds to a sleep, about: it only serves to tell beforehand how long the runs will take."""
LEAST_RPS = 200.0
"""Below this a run of 20,000 requests takes more than 100 s, and the whole grid hours."""
MOST_RPS = 450.0
"""Beyond this the one core of the server is busy with requests as such, whatever its model does."""

INSTANCES = (1, 2, 4)
MAX_BATCHES = (1, 4, 8)
DELAYS_US = (0, 500, 2000)
UTILISATIONS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
ARRIVALS = ("poisson", "mmpp")
BURSTY_COUNTS = 3
"""A bursty point counts as so many, so that a quarter of the points are bursty."""
MOST_BURSTY = 0.5
"""Bursts are 1.8 times the rate. Where they overload the server, a p99 tells how long the longest bursts were."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model of `served/model.py`: `kind` F takes a fixed time, L a + k*b, J scatters, C computes on a shared core."""

    kind: str
    base_us: float
    each_us: float = 0.0
    spread: float = 0.0

    @property
    def name(self) -> str:
        """What Triton calls it."""
        return f"{self.kind.lower()}-{self.base_us:.0f}-{self.each_us:.0f}"

    @property
    def computes(self) -> bool:
        """Whether its instances compute, and share the server's core."""
        return self.kind == "C"


SERVED = (
    ServedModel("F", 4_000),
    ServedModel("F", 12_000),
    ServedModel("L", 3_000, 750),
    ServedModel("L", 8_000, 2_000),
    ServedModel("L", 20_000, 5_000),
    ServedModel("J", 8_000, 1_000, 0.5),
    ServedModel("C", 3_000, 750),
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One point: a model, how its server is set, the part of its capacity that is asked of it, and how it arrives."""

    model: ServedModel
    instances: int
    max_batch: int
    delay_us: int
    utilisation: float
    arrivals: str

    @property
    def nominal_rps(self) -> float:
        """The rate, if the model took the time that it says."""
        full_us = self.model.base_us + self.model.each_us * self.max_batch + OVERHEAD_US
        return self.utilisation * (1 if self.model.computes else self.instances) * self.max_batch * 1e6 / full_us


def grid(points: int) -> list[Setting]:
    """So many settings; each level of each quantity about equally often, in every beginning of the list too."""
    combined = product(SERVED, INSTANCES, MAX_BATCHES, DELAYS_US, UTILISATIONS, ARRIVALS)
    settings = [Setting(*levels) for levels in combined]
    left = [item for item in settings if LEAST_RPS <= item.nominal_rps <= MOST_RPS and _tells(item)]
    random.Random(SEED).shuffle(left)  # noqa: S311 - an order, not a secret
    seen: Counter[object] = Counter()
    chosen: list[Setting] = []
    while left and len(chosen) < points:
        best = min(left, key=lambda item: sum(seen[level] for level in _levels(item)))
        left.remove(best)
        for level in _levels(best):
            seen[level] += BURSTY_COUNTS if level == "mmpp" else 1
        chosen.append(best)
    return chosen


def _tells(setting: Setting) -> bool:
    """A queue delay does nothing where batches hold one request."""
    steady_enough = setting.arrivals == "poisson" or setting.utilisation <= MOST_BURSTY
    return steady_enough and (setting.max_batch > 1 or setting.delay_us == 0)


def _levels(item: Setting) -> Sequence[object]:
    numbers = (item.instances, item.max_batch, item.delay_us, item.utilisation)
    return [item.model.name, item.arrivals, *enumerate(numbers)]
