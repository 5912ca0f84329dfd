"""Which part of a latency is the host's and which the device's, from how it differs between known devices.

For one piece of work on device c, relative to that work elsewhere,

    log y_c = constant + log(s * exp(h_c) + (1 - s) * exp(-v_c)) + noise

s is the share that does not depend on the device's speed (launching kernels, copying, the client), as it is on an A100,
h_c how much slower than usual c's host is, and v_c the logarithm of the device's speed (`devices`) over an A100's. s is
the work's, h_c the device's. s is summed over a grid; what is known of it beforehand is a Beta distribution around what
the known devices' sweeps and parts say (`common_work`), and nothing elsewhere. Its mean is that guess even close to 0,
where most busy servers stand and a normal distribution, cut off, would have a mean far above. The h_c are those of the
highest posterior density.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from controller.performance.tables.common_work import Work
from controller.performance.tables.devices import Mix, catalogue, device_named, log_speed

Array = NDArray[np.float64]
REFERENCE: Final = "A100-SXM4-80GB"
SHARES: Final[Array] = np.linspace(0.0, 1.0, 21)
EDGES: Final[Array] = np.concatenate([[0.0], (SHARES[:-1] + SHARES[1:]) / 2, [1.0]])
"""Of the cells around the shares."""
NOISE: Final = 0.15
"""Standard deviation of log y: two networks of equal share differ by as much between two devices."""
SHARE_NOISE: Final = 0.3
"""Standard deviation of a share of which a half is expected; the nearer to 0 or 1 it is expected, the less."""
HOST_NOISE: Final = 0.25
"""Standard deviation of h_c: hosts of neighbouring years differ by a quarter."""
HOSTS: Final[Array] = np.linspace(-0.6, 0.6, 25)
ROUNDS: Final = 4


@dataclass(frozen=True, slots=True)
class Alike:
    """Work of one precision that is known on the same devices.

    `log_means` and `log_tails` are works x devices; `prior`, the logarithm of what each cell of the shares' grid weighs
    beforehand, is works x shares.
    """

    works: tuple[Work, ...]
    precision: str
    devices: tuple[str, ...]
    log_means: Array
    log_tails: Array
    prior: Array


def alike(works: Sequence[Work], hidden: frozenset[str]) -> list[Alike]:
    """The work that is known on devices other than the hidden ones, put together with its like."""
    groups: dict[tuple[str, tuple[str, ...]], list[Work]] = defaultdict(list)
    for work in works:
        known = tuple(sorted(device for device in work.on if device not in hidden))
        if known:
            groups[work.setup.precision, known].append(work)
    return [
        Alike(
            tuple(members),
            precision,
            known,
            np.array([[work.on[device].log_mean for device in known] for work in members]),
            np.array([[work.on[device].log_tail for device in known] for work in members]),
            np.array([_prior(work, known) for work in members]),
        )
        for (precision, known), members in groups.items()
    ]


def _prior(work: Work, known: Sequence[str]) -> Array:
    guesses = [work.constant_share[device] for device in known if device in work.constant_share]
    if not guesses:
        return np.zeros_like(SHARES)
    guess = float(np.clip(np.mean(guesses), EDGES[1], EDGES[-2]))
    certainty = 0.25 / SHARE_NOISE**2 - 1
    # The variance of this Beta distribution is guess * (1 - guess) / (certainty + 1).
    below = betainc(guess * certainty, (1 - guess) * certainty, EDGES)
    masses: Array = np.log(np.maximum(np.diff(below), np.finfo(float).tiny))
    return masses


def shape(device: str, precision: str, mix: Mix, slowness: float) -> Array:
    """The log y of each of SHARES, up to the work's constant."""
    reference = log_speed(catalogue()[REFERENCE], precision, mix)
    speed = log_speed(device_named(device), precision, mix) - reference
    values: Array = np.log(SHARES * np.exp(slowness) + (1 - SHARES) * np.exp(-speed))
    return values


def log_weights(group: Alike, mix: Mix, hosts: Mapping[str, float]) -> Array:
    """The logarithm of each share's posterior weight (works x shares), not normalised."""
    shapes = np.array([shape(device, group.precision, mix, hosts[device]) for device in group.devices])
    left = group.log_means[:, :, None] - shapes[None, :, :]
    weights: Array = group.prior - ((left - left.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) / (2 * NOISE**2)
    return weights


def fit_hosts(groups: Sequence[Alike], mix: Mix) -> dict[str, float]:
    """h_c of every device in the groups: one after the other to its best value on a grid, a few times over."""
    telling = [group for group in groups if len(group.devices) > 1]
    hosts = {device: 0.0 for group in groups for device in group.devices}
    for _ in range(ROUNDS):
        for device in sorted(hosts):
            densities = [_log_density(telling, mix, {**hosts, device: float(h)}) for h in HOSTS]
            hosts[device] = float(HOSTS[int(np.argmax(densities))])
    return hosts


def _log_density(groups: Sequence[Alike], mix: Mix, hosts: Mapping[str, float]) -> float:
    total = -sum(slowness**2 for slowness in hosts.values()) / (2 * HOST_NOISE**2)
    for group in groups:
        weights = log_weights(group, mix, hosts)
        top = weights.max(axis=1, keepdims=True)
        total += float((np.log(np.exp(weights - top).mean(axis=1)) + top[:, 0]).sum())
    return total
