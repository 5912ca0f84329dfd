"""A picture of the errors of predictions over utilisation."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from prediction_score import Scored

PERCENTILES = ("p50", "p95", "p99")
EDGE_PERCENT = 60
"""Errors beyond stand at the edge."""


def plot_errors(scored: Mapping[str, Sequence[Scored]], path: Path) -> None:
    """One panel for each percentile, one mark for each point; what a stall disturbed is hollow."""
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    panels = figure.subplots(1, len(PERCENTILES), sharey=True)
    for at, (panel, name) in enumerate(zip(panels, PERCENTILES, strict=True)):
        panel.axhspan(-10, 10, color="0.93")
        panel.axhline(0, color="0.6", linewidth=0.8)
        for colour, (title, points) in zip(("tab:blue", "tab:orange"), scored.items(), strict=False):
            for hollow in (False, True):
                shown = [point for point in points if point.disturbed is hollow]
                panel.scatter(
                    [point.utilisation for point in shown],
                    [max(-EDGE_PERCENT, min(EDGE_PERCENT, 100 * point.errors[at])) for point in shown],
                    s=22,
                    facecolors="none" if hollow else colour,
                    edgecolors=colour,
                    label=None if hollow else title,
                )
        panel.set(title=name, xlabel="utilisation")
    panels[0].set_ylabel("predicted over seen, %")
    panels[0].legend(fontsize=8, loc="lower left")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)
