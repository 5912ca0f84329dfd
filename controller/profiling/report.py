"""The report of a profiling run: one HTML page with its plots in it."""

import html
import io
from collections.abc import Callable, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from controller.profiling.measured import Progress

mpl.use("svg")
BLUE, ORANGE = "#2a6fdb", "#e0862a"
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem}}
svg {{max-width: 100%; height: auto}} pre {{background: #f4f4f4; padding: 1rem; overflow-x: auto}}</style></head>
<body><h1>{title}</h1>{plots}{notes}<h2>DeviceProfile</h2><pre>{document}</pre></body></html>
"""


def report(title: str, progress: Progress, document: str) -> str:
    """The page as text."""
    plots = [_plot("Time of a batch", lambda axes: _batches(axes, progress))]
    if progress.instances:
        plots.append(_plot("Requests answered, by instances", lambda axes: _instances(axes, progress)))
    if progress.checks:
        plots.append(_plot("Latency as predicted and as seen", lambda axes: _checks(axes, progress)))
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in progress.notes)
    return PAGE.format(
        title=html.escape(title), plots="".join(plots), notes=f"<ul>{notes}</ul>", document=html.escape(document)
    )


def _batches(axes: Axes, progress: Progress) -> None:
    sizes = [point.batch for point in progress.batches]
    means_ms = [point.mean_us / 1000 for point in progress.batches]
    errors_ms = [point.relative_error * point.mean_us / 1000 for point in progress.batches]
    axes.errorbar(sizes, means_ms, errors_ms, marker="o", capsize=3, color=BLUE, label="server, mean and 95 % interval")
    p99_ms = [point.client_p99_us / 1000 for point in progress.batches]
    axes.plot(sizes, p99_ms, marker=".", linestyle=":", color=ORANGE, label="client, p99")
    axes.set_xlabel("batch size")
    axes.set_ylabel("ms")
    axes.legend(frameon=False)


def _instances(axes: Axes, progress: Progress) -> None:
    counts = [point.instances for point in progress.instances]
    axes.plot(counts, [point.answered_rps * point.batch for point in progress.instances], marker="o", color=BLUE)
    axes.set_xticks(counts)
    axes.set_xlabel(f"instances, each kept busy with batches of {progress.instances[0].batch}")
    axes.set_ylabel("items a second")


def _checks(axes: Axes, progress: Progress) -> None:
    places: Sequence[float] = range(3 * len(progress.checks))
    seen_ms = [value / 1000 for point in progress.checks for value in point.seen_us]
    predicted_ms = [value / 1000 for point in progress.checks for value in point.predicted_us]
    axes.bar([place - 0.2 for place in places], predicted_ms, 0.4, color=ORANGE, label="predicted")
    axes.bar([place + 0.2 for place in places], seen_ms, 0.4, color=BLUE, label="seen")
    names = [f"{name}\n{point.rate_rps:.0f}/s" for point in progress.checks for name in ("p50", "p95", "p99")]
    axes.set_xticks(list(places), names)
    axes.set_ylabel("ms")
    axes.legend(frameon=False)


def _plot(title: str, draw: Callable[[Axes], None]) -> str:
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    axes = figure.add_subplot()
    draw(axes)
    axes.set_title(title, loc="left")
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue().partition("<!DOCTYPE")[2].partition(">")[2]
