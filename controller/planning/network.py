"""The way from an origin to a site and back, with its scatter.

A round trip has the mean that the Link tells and scatters as a gamma distribution does (Mukherjee, *On the dynamics and
significance of low frequency components of Internet load*, 1994) with the Link's `jitter` as standard deviation. Its
quantiles are Wilson and Hilferty's (1931): with shape k = (mean / deviation)^2 and the normal quantile z,

    mean * (1 - 1 / (9 k) + z / (3 sqrt(k)))^3

which for a jitter of at most half of the mean (k >= 4) is within 1 % from the 5th percentile on.
"""

from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from controller.performance.surface import LEVELS
from policy.resolved import Link, Policy, Stage
from rules.kernel.problem import Demand, Option

Floats = NDArray[np.float64]

NORMAL: Final = np.array([NormalDist().inv_cdf((level + 0.5) / LEVELS) for level in range(LEVELS)])
"""The quantiles of the normal distribution at the levels of all samples."""


def link_between(policy: Policy, a: str, b: str) -> Link | None:
    """The Link that joins two sites, whichever way round it names them."""
    return policy.link(a, b)


def reachable(policy: Policy, origin: str, site: str) -> bool:
    """Whether requests of an origin can be served at a site."""
    return origin == site or link_between(policy, origin, site) is not None


def network_us(policy: Policy, demand: Demand, stage: Stage, option: Option, encoding: str = "") -> Floats:
    """`LEVELS` quantiles in us from a demand's origin to an option and back, with the payload of all calls of a stage.

    It is sent in the encoding of that name, or as it is.

    Raises ValueError where no Link leads.
    """
    return network_to_us(policy, demand, stage, policy.pool(option.placement.pool).site, encoding)


def network_to_us(policy: Policy, demand: Demand, stage: Stage, site: str, encoding: str = "") -> Floats:
    """The same to a site."""
    if site == demand.origin:
        return np.zeros(LEVELS)
    link = link_between(policy, demand.origin, site)
    if link is None:
        raise ValueError(f"{demand.id} cannot reach {site}: bar what is `out_of_reach` before building paths")
    return round_trip_us(link.rtt_us, link.jitter_us) + sending_us(link, stage, encoding)


def sending_us(link: Link, stage: Stage, encoding: str) -> int:
    """What the inputs of all calls of a stage take over a link, in us: to encode them, to send them and to decode them.

    The calls are encoded, and decoded, one after the other, at the worst.
    """
    return coding_us(stage, encoding) + stage.sent_bytes(encoding) * 8_000 // link.bandwidth_kbps


def coding_us(stage: Stage, encoding: str) -> int:
    """What encoding and decoding the inputs of all calls of a stage takes, in us; nothing as they are."""
    packed = stage.encoding(encoding)
    return stage.fanout * packed.time_us if packed else 0


@lru_cache(maxsize=1024)
def round_trip_us(mean_us: int, deviation_us: int) -> Floats:
    """`LEVELS` quantiles in us of a round trip."""
    if mean_us == 0 or deviation_us == 0:
        return np.full(LEVELS, float(mean_us))
    shape = (mean_us / deviation_us) ** 2
    root = 1 - 1 / (9 * shape) + NORMAL / (3 * shape**0.5)
    quantiles_us: Floats = mean_us * np.maximum(root, 0.0) ** 3
    quantiles_us.flags.writeable = False
    return quantiles_us
