"""Service time by batch size, from what a server counted of its executions.

Triton's statistics endpoint tells for each batch size how many executions there were and how long they took together
(`batch_stats`), which gives s(b) at the sizes that occurred. Its `nv_inference_compute_*` counters add an execution's
time once for each of its requests, so they do not.

Between and beyond the sizes that occurred, s(b) follows a base curve: the profile's, scaled to what was counted, or
where there is none the line through the counts. A size that occurred seldom is drawn towards that curve, which weighs
`PRIOR_EXECUTIONS` executions. Where executions of one size scatter by a coefficient of variation c, n of them tell
their mean to c / sqrt(n); the base curve, which drifts by about `DRIFT`, tells as much as (c / `DRIFT`)^2 executions.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from collectors.snapshot import BatchTime

Floats = NDArray[np.float64]

PRIOR_EXECUTIONS: Final = 20
DRIFT: Final = 0.03


def service_curve(
    counted: Iterable[BatchTime], max_batch: int, prior_us: Sequence[float] | None = None, spread: float = 0.0
) -> tuple[float, ...]:
    """s(0) to s(`max_batch`) in us, rising; s(0) means nothing. `prior_us` has the same indices.

    Executions of one size scatter by the coefficient of variation `spread`. Raises ValueError when nothing was counted
    and there is no prior.
    """
    sizes, executions, mean_us = _pooled(counted)
    if not sizes.size:
        if prior_us is None:
            raise ValueError("no execution was counted: give a prior, or measure first")
        return tuple(prior_us)
    base, as_many = _line(sizes, executions, mean_us, max_batch), 0.0
    if prior_us is not None:
        as_many = (spread / DRIFT) ** 2
        base = np.asarray(prior_us) * _scale(sizes, executions, mean_us, np.asarray(prior_us), as_many)
    as_many += PRIOR_EXECUTIONS
    curve = base.copy()
    for size, weight, mean in zip(sizes, executions, mean_us, strict=True):
        if size <= max_batch:
            curve[size] = (weight * mean + as_many * base[size]) / (weight + as_many)
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


def _scale(
    sizes: NDArray[np.int64], executions: Floats, mean_us: Floats, prior_us: Floats, prior_executions: float
) -> float:
    """How much longer the executions took than the prior says of as many of these sizes, drawn to 1 by the prior."""
    inside = sizes < prior_us.size
    expected = float(executions[inside] @ prior_us[sizes[inside]])
    if not expected:
        return 1.0
    weight = float(executions[inside].sum()) / (float(executions[inside].sum()) + prior_executions)
    return 1 + weight * (float(executions[inside] @ mean_us[inside]) / expected - 1)
