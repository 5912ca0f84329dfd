"""The latency of a whole path, from those of its stages. Percentiles do not add; samples do.

Each stage has `LEVELS` equally likely latencies, its quantiles. A path is sampled as often, taking each level of each
stage once, in an order of the stage's own that has nothing to do with the others' (Latin hypercube sampling; McKay,
Beckman and Conover, Technometrics 1979): the stages' own distributions are kept exactly, and what they do together is
sampled. Over a DAG a request is done when its slowest chain is.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import repeat
from typing import Final

import numpy as np
from numpy.typing import NDArray

from controller.performance.surface import LEVELS
from policy.resolved import Stage

Floats = NDArray[np.float64]

PERCENTILES_BP: Final = (5000, 9000, 9500, 9900, 9990)
RANKS: Final = tuple(-(-LEVELS * percentile_bp // 10_000) - 1 for percentile_bp in PERCENTILES_BP)
NETWORK: Final = 1 << 16
"""Added to a stage's place for the order of its network's samples: no service has as many stages."""
CHUNK: Final = 512
"""Paths that are sampled at once: some MiB of memory."""


def chains(stages: Sequence[Stage]) -> tuple[tuple[int, ...], ...]:
    """Every way from a stage without predecessor to one without successor, as indices into `stages`."""
    index = {stage.name: i for i, stage in enumerate(stages)}
    followers: dict[int, list[int]] = {i: [] for i in range(len(stages))}
    for i, stage in enumerate(stages):
        for before in stage.after:
            followers[index[before]].append(i)

    def extend(chain: tuple[int, ...]) -> list[tuple[int, ...]]:
        onward = followers[chain[-1]]
        return [chain] if not onward else [whole for i in onward for whole in extend((*chain, i))]

    return tuple(whole for i, stage in enumerate(stages) if not stage.after for whole in extend((i,)))


@cache
def _order(stage: int) -> NDArray[np.int64]:
    """The order in which the levels of a stage are taken."""
    order: NDArray[np.int64] = np.random.default_rng(stage).permutation(LEVELS)
    return order


def sampled(stage: int, quantiles_us: Floats) -> Floats:
    """The latencies of the stage at this place of a service, in the order of its samples."""
    return quantiles_us[_order(stage)]


def leg(stage: int, stage_us: Floats, network_us: Floats) -> Floats:
    """The latencies of a stage with those of the way there and back, which have nothing to do with each other."""
    return sampled(stage, stage_us) + travelled(stage, network_us)


def travelled(stage: int, network_us: Floats) -> Floats:
    """The ways there and back of a stage, in the order of their samples."""
    return sampled(NETWORK + stage, network_us)


def path_latencies_us(
    ways: Sequence[Sequence[int]], legs: Sequence[Floats], choices: NDArray[np.int64]
) -> Iterator[tuple[tuple[int, int], ...]]:
    """For each path, (percentile in basis points, latency in us), rising.

    `legs` has the samples of each stage's options, [options, LEVELS], and a row of `choices` the option of each stage.
    """
    for first in range(0, len(choices), CHUNK):
        chunk = choices[first : first + CHUNK]
        chosen = [samples[chunk[:, stage]] for stage, samples in enumerate(legs)]
        only = len(ways) == 1
        totals = _slowest([_along(way, chosen, into=chosen[way[0]] if only else chosen[way[0]].copy()) for way in ways])
        totals.sort(axis=1)  # faster than a partition, which has no vector code for several ranks
        ranks = np.rint(totals[:, RANKS]).astype(np.int64).T.tolist()
        yield from zip(
            *(zip(repeat(bp), values) for bp, values in zip(PERCENTILES_BP, ranks, strict=True)), strict=True
        )


def _along(way: Sequence[int], chosen: Sequence[Floats], into: Floats) -> Floats:
    total = into
    for stage in way[1:]:
        total += chosen[stage]
    return total


def _slowest(totals: Sequence[Floats]) -> Floats:
    slowest = totals[0]
    for total in totals[1:]:
        np.maximum(slowest, total, out=slowest)
    return slowest
