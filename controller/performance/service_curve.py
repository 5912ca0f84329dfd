"""Service time by batch size, from what a server counted of its executions.

Triton's statistics endpoint tells for each batch size how many executions there were and how long they took together
(`batch_stats`), which gives s(b) at the sizes that occurred. Its `nv_inference_compute_*` counters add an execution's
time once for each of its requests, so they do not.

Between and beyond the sizes that occurred, s(b) follows a base curve: the profile's, scaled to what was counted, or
where there is none the line through the counts. A size that occurred seldom is drawn towards that curve, which weighs
`PRIOR_EXECUTIONS` executions.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from collectors.snapshot import BatchTime

Floats = NDArray[np.float64]

PRIOR_EXECUTIONS: Final = 20


def service_curve(
    counted: Iterable[BatchTime], max_batch: int, prior_us: Sequence[float] | None = None
) -> tuple[float, ...]:
    """s(0) to s(`max_batch`) in us, rising; s(0) means nothing. `prior_us` has the same indices.

    Raises ValueError when nothing was counted and there is no prior.
    """
    sizes, executions, mean_us = _pooled(counted)
    if not sizes.size:
        if prior_us is None:
            raise ValueError("no execution was counted: give a prior, or measure first")
        return tuple(prior_us)
    base = _line(sizes, executions, mean_us, max_batch)
    if prior_us is not None:
        base = np.asarray(prior_us) * _scale(sizes, executions, mean_us, np.asarray(prior_us))
    curve = base.copy()
    for size, weight, mean in zip(sizes, executions, mean_us, strict=True):
        if size <= max_batch:
            curve[size] = (weight * mean + PRIOR_EXECUTIONS * base[size]) / (weight + PRIOR_EXECUTIONS)
    curve[0] = 0.0
    return tuple(np.maximum.accumulate(curve).tolist())


def _pooled(counted: Iterable[BatchTime]) -> tuple[NDArray[np.int64], Floats, Floats]:
    totals: dict[int, tuple[int, float]] = {}
    for item in counted:
        if item.executions > 0:
            executions, total_us = totals.get(item.batch, (0, 0.0))
            totals[item.batch] = (executions + item.executions, total_us + item.total_us)
    sizes = sorted(totals)
    counts = np.array([totals[size][0] for size in sizes], np.float64)
    together_us = np.array([totals[size][1] for size in sizes], np.float64)
    return np.array(sizes, np.int64), counts, together_us / np.maximum(counts, 1)


def _line(sizes: NDArray[np.int64], executions: Floats, mean_us: Floats, max_batch: int) -> Floats:
    """The weighted least-squares line through the means; level where it would fall, or one size tells no slope."""
    weights = executions / executions.sum()
    centre, level = float(weights @ sizes), float(weights @ mean_us)
    variance = float(weights @ (sizes - centre) ** 2)
    slope = float(weights @ ((sizes - centre) * (mean_us - level))) / variance if variance > 0 else 0.0
    slope = min(max(slope, 0.0), level / centre)
    line: Floats = level + slope * (np.arange(max_batch + 1.0) - centre)
    return line


def _scale(sizes: NDArray[np.int64], executions: Floats, mean_us: Floats, prior_us: Floats) -> float:
    """How much longer the executions took than the prior says of as many of these sizes."""
    inside = sizes < prior_us.size
    expected = float(executions[inside] @ prior_us[sizes[inside]])
    return float(executions[inside] @ mean_us[inside]) / expected if expected else 1.0
