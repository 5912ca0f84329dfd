"""Relative errors of predictions: their means in two conventions, their medians, their distribution."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from controller.performance.tables.measurement import Sweep

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Errors:
    """Relative errors of one sweep's hidden rows, signed: predicted over measured, minus one."""

    model: str
    device: str
    avg: Array
    p99: Array


def errors_of(rows: Sweep, avg_ms: Array, p99_ms: Array) -> Errors:
    """Predictions against what was measured."""
    avg = avg_ms / np.array([row.mean_ms for row in rows]) - 1
    p99 = p99_ms / np.array([row.tail_ms for row in rows]) - 1
    return Errors(rows[0].setup.model, rows[0].device, avg, p99)


def score(found: Sequence[Errors], *, by_row: bool) -> dict[str, float]:
    """Mean absolute percentage errors; of all rows alike, or as the mean over the sweeps of each one's mean."""
    means = {}
    for name, parts in (("avg", [item.avg for item in found]), ("p99", [item.p99 for item in found])):
        each = np.concatenate(parts) if by_row else np.array([np.abs(part).mean() for part in parts])
        means[f"{name}_mape"] = round(100 * float(np.abs(each).mean()), 2)
    return means


def scored(found: Sequence[Errors], *, by_row: bool, method: str) -> dict[str, object]:
    """The score in one convention, the other one beside it."""
    other = score(found, by_row=not by_row)
    return {
        **score(found, by_row=by_row),
        "rows": sum(len(item.avg) for item in found),
        "sweeps": len(found),
        "mean_over": "rows" if by_row else "sweeps",
        f"other_mean_over_{'sweeps' if by_row else 'rows'}": other,
        "method": method,
    }


def medians(found: Errors) -> dict[str, float]:
    """Median absolute percentage errors."""
    return {
        "avg_median_ape": round(100 * float(np.median(np.abs(found.avg))), 2),
        "p99_median_ape": round(100 * float(np.median(np.abs(found.p99))), 2),
    }


def plot(parts: dict[str, list[Errors]], file: Path) -> None:
    """Cumulative distributions of the absolute errors of the means, one curve a score."""
    figure = Figure(figsize=(6.4, 3.6), dpi=100, layout="constrained")
    axes = figure.subplots()
    for name, found in parts.items():
        each = np.sort(100 * np.abs(np.concatenate([item.avg for item in found])))
        axes.plot(each, np.linspace(0, 100, len(each)), label=f"{name} ({len(each)} rows)", linewidth=1.4)
    axes.set(xscale="log", xlim=(0.1, 100), ylim=(0, 100))
    axes.set(xlabel="absolute error of the mean latency, %", ylabel="rows with at most this error, %")
    axes.grid(visible=True, alpha=0.25)
    axes.legend(loc="upper left", fontsize="small")
    figure.savefig(file, pil_kwargs={"optimize": True})
