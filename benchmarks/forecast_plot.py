"""The picture of docs/forecasting.md: losses against the peers, and coverage, by trace."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

MARKS = {"0.5": ("o", "#4477aa"), "0.9": ("s", "#228833"), "0.99": ("^", "#cc6677")}
TARGET = 0.8
TOLERANCE = {"0.9": 2.0, "0.99": 0.5}
PANELS = (("ratio_last", "pinball loss / last value's"), ("ratio_last_residual", "/ last value with residuals"))


def draw(scores: dict[str, dict[str, Any]], path: Path) -> None:
    """Write the PNG: two panels of ratios and one of how far coverage is off, in points."""
    names = list(scores)[::-1]
    figure, axes = plt.subplots(1, 3, sharey=True, figsize=(10, 1.1 + 0.3 * len(names)), layout="constrained")
    for axis, (key, title) in zip(axes, PANELS, strict=False):
        axis.axvline(TARGET, color="0.6", linewidth=0.8, linestyle="--")
        for level, (mark, color) in MARKS.items():
            ratios = [scores[name][key][level] if scores[name][key] else float("nan") for name in names]
            axis.plot(ratios, range(len(names)), mark, color=color, markersize=5, label=f"quantile {level}")
        axis.set(xlim=(0, None), title=title)
    for level, points in TOLERANCE.items():
        mark, color = MARKS[level]
        errors = [100 * (scores[name]["coverage"][level] - float(level)) for name in names]
        axes[2].plot(errors, range(len(names)), mark, color=color, markersize=5)
        axes[2].axvspan(-points, points, color=color, alpha=0.12, linewidth=0)
    axes[2].set(title="coverage error, points")
    axes[0].set_yticks(range(len(names)), names)
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(MARKS), fontsize="x-small"
    )
    for axis in axes:
        axis.grid(axis="y", color="0.92")
        axis.tick_params(labelsize=8)
        axis.title.set_fontsize(9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)
    plt.close(figure)
