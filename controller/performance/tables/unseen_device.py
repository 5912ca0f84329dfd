"""Latencies on a device of which nothing but its data sheet is known, from the same work on others.

With the shares and hosts of `shares`, and an unseen device g whose host is taken as the usual one of the known,

    log y_g = sum over s of P(s) * (shape_g(s) + sum over known c of w_c * (log y_c - shape_c(s)))

where w_c falls with d_c, the distance of c from g in log speed, as 1 / (NOISE^2 + (GAP_NOISE * d_c)^2). Nobody tells
which mix of rates makes a device's speed, so the guesses of several mixes are averaged.

The interval comes from hiding each known device in turn from the others: it is the widest of their 90th percentiles of
error, and wider in proportion where the unseen device stands further from its nearest neighbour than any of them did.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from controller.performance.tables.common_work import Work
from controller.performance.tables.devices import Mix, device_named, log_speed
from controller.performance.tables.shares import NOISE, Alike, Array, alike, fit_hosts, log_weights, shape

MIXES: Final = tuple(
    Mix(matrix, vector, bandwidth, power_limited)
    for matrix, vector, bandwidth in ((0.5, 0.0, 0.5), (0.4, 0.2, 0.4), (1 / 3, 1 / 3, 1 / 3))
    for power_limited in (False, True)
)
"""Compute and traffic in equal parts, with other arithmetic left out, as half a part, and as a part of its own."""
GAP_NOISE: Final = 0.3
"""Standard deviation of log y for each unit of log speed between two devices: a mix is right to about a third."""
LEVEL: Final = 0.9
"""The share of measurements that an interval is to cover."""
LONE_HALF_WIDTH: Final = float(np.log(2))
"""Half an interval, as a logarithm, where one known device alone leaves nothing to hide: a factor of two."""


@dataclass(frozen=True, slots=True)
class UnseenPrediction:
    """A piece of work on the unseen device; `low_ms` to `high_ms` is the interval of its mean."""

    work: Work
    avg_ms: float
    p99_ms: float
    low_ms: float
    high_ms: float


@dataclass(frozen=True, slots=True)
class _Guess:
    """Logarithms of the mean and p99 of a piece of work on a device that was hidden."""

    work: Work
    log_mean: float
    log_tail: float


def predict_unseen(works: Sequence[Work], device: str) -> list[UnseenPrediction]:
    """All work that is known on another device; what is known on `device` itself is not looked at.

    Raises UnknownDeviceError when the facts of a device are not known, ValueError without a known device.
    """
    known = sorted({name for work in works for name in work.on} - {device})
    if not known:
        raise ValueError(f"no measurement on any device but {device}: predicting it needs one at least")
    half = _half_width(works, known, device)
    return [
        UnseenPrediction(
            guess.work,
            float(np.exp(guess.log_mean)),
            float(np.exp(guess.log_tail)),
            float(np.exp(guess.log_mean - half)),
            float(np.exp(guess.log_mean + half)),
        )
        for guess in _guesses(works, device, frozenset({device}))
    ]


def _guesses(works: Sequence[Work], device: str, hidden: frozenset[str]) -> list[_Guess]:
    """Every work that a device not hidden has done, as it would be on `device`; the mean of the mixes."""
    groups = alike(works, hidden)
    hosts = {mix: fit_hosts(groups, mix) for mix in MIXES}
    found: list[_Guess] = []
    for group in groups:
        moved = np.mean([_moved(group, device, mix, hosts[mix]) for mix in MIXES], axis=0)
        found += [_Guess(work, *logs) for work, logs in zip(group.works, moved.tolist(), strict=True)]
    return found


def _moved(group: Alike, device: str, mix: Mix, hosts: Mapping[str, float]) -> Array:
    """Logarithms of mean and p99 of each work of a group on `device` (works x 2)."""
    weights = log_weights(group, mix, hosts)
    chance = np.exp(weights - weights.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    near = _nearness(group, device, mix)
    there = near @ np.array([shape(name, group.precision, mix, hosts[name]) for name in group.devices])
    usual = float(np.mean(list(hosts.values())))
    step = (chance * (shape(device, group.precision, mix, usual) - there)).sum(axis=1)
    return np.column_stack([group.log_means @ near + step, group.log_tails @ near + step])


def _nearness(group: Alike, device: str, mix: Mix) -> Array:
    """The weight of each known device of a group, summing to one."""
    gaps = np.array([_distance(name, device, group.precision, mix) for name in group.devices])
    weights = 1 / (NOISE**2 + (GAP_NOISE * gaps) ** 2)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _half_width(works: Sequence[Work], known: Sequence[str], device: str) -> float:
    """Half the interval, as a logarithm."""
    quantiles, gaps = [], []
    for name in known if len(known) > 1 else ():
        guesses = _guesses(works, name, frozenset({device, name}))
        misses = [guess.log_mean - guess.work.on[name].log_mean for guess in guesses if name in guess.work.on]
        if misses:
            quantiles.append(float(np.quantile(np.abs(misses), LEVEL)))
            gaps.append(_gap(name, set(known) - {name}))
    if not quantiles:
        return LONE_HALF_WIDTH
    return max(quantiles) * max(1.0, _gap(device, known) / max(*gaps, NOISE))


def _gap(device: str, others: Iterable[str]) -> float:
    """The distance in log speed at FP16, the mean over the mixes, to the nearest of the others."""
    return min(float(np.mean([_distance(device, other, "FP16", mix) for mix in MIXES])) for other in others)


def _distance(one: str, other: str, precision: str, mix: Mix) -> float:
    return abs(log_speed(device_named(one), precision, mix) - log_speed(device_named(other), precision, mix))
