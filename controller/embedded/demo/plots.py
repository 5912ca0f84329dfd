"""The report's plots, as SVG text: time runs to the right, acts are shaded, decisions are ticks along the bottom."""

import io
from collections.abc import Callable

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from controller.embedded.demo.recording import Recording, percentile_ms

mpl.use("svg")
WINDOW_S = 5.0
COLOURS = ("#2a6fdb", "#e0862a", "#2f9e6e", "#b0479a", "#8a6d3b")


def latency(recording: Recording, service: str) -> str:
    """Every answered call as a dot, p99 over short windows as a line, and the objective."""

    def draw(axes: Axes) -> None:
        calls = [call for call in recording.calls if call.service == service]
        answered = [call for call in calls if call.ok]
        axes.scatter(
            [c.at_s for c in answered],
            [c.latency_ms for c in answered],
            s=5,
            alpha=0.35,
            color=COLOURS[0],
            linewidths=0,
            label="a request",
        )
        end_s = max((call.at_s for call in calls), default=0.0)
        windows = [
            (start + WINDOW_S / 2, percentile_ms(recording.between(service, start, start + WINDOW_S), 99))
            for start in _steps(end_s, WINDOW_S)
        ]
        line = [(at, value) for at, value in windows if value is not None]
        axes.plot(
            [at for at, _ in line], [value for _, value in line], color=COLOURS[0], label=f"p99 over {WINDOW_S:g} s"
        )
        axes.axhline(recording.objective_ms[service], color="#c0392b", linestyle="--", label="objective (p99)")
        failed = [call for call in calls if not call.ok]
        if failed:
            axes.scatter(
                [c.at_s for c in failed], [0.0] * len(failed), marker="x", color="#c0392b", label="not answered"
            )
        axes.set_ylabel("ms from the intended start")
        axes.set_ylim(bottom=0)

    return _plot(recording, f"{service}: latency", draw)


def instances(recording: Recording) -> str:
    """Instances by site, as steps."""

    def draw(axes: Axes) -> None:
        for colour, site in zip(COLOURS, _sites(recording), strict=False):
            axes.step(
                [s.at_s for s in recording.samples],
                [s.instances.get(site, 0) for s in recording.samples],
                where="post",
                color=colour,
                label=site,
            )
        axes.set_ylabel("instances")
        axes.set_ylim(bottom=0)

    return _plot(recording, "model instances by site", draw)


def served(recording: Recording) -> str:
    """Requests a second that each site's server has answered, by its own counters."""

    def draw(axes: Axes) -> None:
        for colour, site in zip(COLOURS, _sites(recording), strict=False):
            points = [
                (later.at_s, (later.served.get(site, 0) - earlier.served.get(site, 0)) / (later.at_s - earlier.at_s))
                for earlier, later in zip(recording.samples, recording.samples[5:], strict=False)
                if later.served.get(site, 0) >= earlier.served.get(site, 0)
            ]
            axes.plot([at for at, _ in points], [rate for _, rate in points], color=colour, label=site)
        axes.set_ylabel("stage calls a second")
        axes.set_ylim(bottom=0)

    return _plot(recording, "where requests are served", draw)


def cost(recording: Recording) -> str:
    """What the powered nodes cost an hour."""

    def draw(axes: Axes) -> None:
        axes.step(
            [s.at_s for s in recording.samples],
            [s.dollars_per_hour for s in recording.samples],
            where="post",
            color=COLOURS[2],
            label="powered nodes",
        )
        axes.set_ylabel("$ an hour")
        axes.set_ylim(bottom=0)

    return _plot(recording, "cost", draw)


def _sites(recording: Recording) -> list[str]:
    return sorted({site for sample in recording.samples for site in sample.instances})


def _steps(end_s: float, step_s: float) -> list[float]:
    return [index * step_s for index in range(int(end_s // step_s) + 1)]


def _plot(recording: Recording, title: str, draw: Callable[[Axes], None]) -> str:
    figure = Figure(figsize=(11, 3.1), layout="constrained")
    axes = figure.add_subplot()
    for index, act in enumerate(recording.acts):
        axes.axvspan(act.start_s, act.end_s, color="#f1f4f8" if index % 2 else "#e3e9f1", zorder=0)
        axes.text(
            (act.start_s + act.end_s) / 2,
            1.01,
            str(index + 1),
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="bottom",
            fontsize=8,
            color="#556",
        )
    draw(axes)
    changed = [decided.at_s for decided in recording.decisions if decided.verdict != "keep"]
    axes.plot(
        changed,
        [0.02] * len(changed),
        "^",
        transform=axes.get_xaxis_transform(),
        color="#333",
        markersize=4,
        label="a decision that changes the fleet",
        clip_on=False,
    )
    axes.set_xlabel("s")
    axes.set_title(title, loc="left", fontsize=11, pad=14)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    text = io.StringIO()
    figure.savefig(text, format="svg")
    svg = text.getvalue()
    return svg[svg.index("<svg") :]
