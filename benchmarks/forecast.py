"""How good the demand forecasts are: pinball loss and coverage on traces, against repeating a value.

`python benchmarks/forecast.py --traces FOLDER` replays each trace one interval at a time through the code of
controller/demand, as the loop would: a forecast sees what came before it and nothing else. Every observed interval is
scored from the second one on, the time without history included. The peers are the last value and the value of a day
ago (a week ago as well, where there are weeks), each twice: its point used for every quantile, and with the empirical
quantiles of its residuals over the day before. A table by trace, and as the last line a JSON object.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from forecast_floor import FLOORS, Medians, floors, over_last
from forecast_traces import Counts, Trace, table, traces
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from controller.demand.history import DAY_S, History
from controller.demand.newcomer import Newcomer
from controller.demand.online import FORECASTERS, LEVELS, Models, State, forecast

ROOT = Path(__file__).parents[1]
PROGRESS_S = 20.0
RESIDUALS = 1440
FEWEST_RESIDUALS = 12
DAYS_FOR_WEEKS = 14
HARDLY = 0.01
"""Of a request: counts that were told as rates are whole numbers to that."""
PEERS = ("last", "last_residual", "seasonal", "seasonal_residual", "weekly", "weekly_residual")
Series = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Run:
    """Forecasts of one series by interval; row i of `ours` and `medians` was made `horizon` intervals before.

    `medians` are those of the forecasters that are mixed, one a column.
    """

    counts: Series
    ours: Series
    medians: Series
    peers: dict[str, Series]
    seconds: float


def replayed(counts: Counts, interval_s: int, horizon: int, label: str) -> tuple[Series, Series, float]:
    """Our forecasts, shape (intervals, levels), NaN where none was made, the forecasters' medians, and CPU seconds."""
    found = np.full((len(counts) + horizon, len(LEVELS)), np.nan)
    medians = np.full((len(counts) + horizon, len(FORECASTERS)), np.nan)
    history, state, models, newcomer = History.of(interval_s), State.new(horizon), Models(), Newcomer()
    told, begun = time.perf_counter(), time.process_time()
    for i, count in enumerate(counts):
        history = history.then(count)
        state, found[i + horizon] = forecast(state, history, models, newcomer)
        medians[i + horizon] = [np.nan if item is None else item[0] for item in state.pending[-1].by_forecaster]
        if time.perf_counter() - told > PROGRESS_S:
            told = time.perf_counter()
            print(f"  {label}: {i + 1} of {len(counts)} intervals", file=sys.stderr, flush=True)
    return found[: len(counts)], medians[: len(counts)], time.process_time() - begun


def repeated(counts: Series, back: int) -> Series:
    """What was seen `back` intervals ago; for a missing interval, the latest before it."""
    newest = np.maximum.accumulate(np.where(np.isnan(counts), 0, np.arange(len(counts))))
    found = np.full(len(counts), np.nan)
    found[back:] = counts[newest][: len(counts) - back]
    return found


def with_residuals(counts: Series, points: Series, horizon: int) -> Series:
    """The points, each with the quantiles of the last RESIDUALS residuals that were known when it was made."""
    residuals = np.concatenate([np.full(RESIDUALS + horizon - 1, np.nan), counts - points])
    found = np.repeat(points[:, np.newaxis], len(LEVELS), axis=1)
    for i, window in enumerate(sliding_window_view(residuals, RESIDUALS)[: len(counts)]):
        known = window[~np.isnan(window)]
        if len(known) >= FEWEST_RESIDUALS:
            found[i] += np.quantile(known, LEVELS)
    return found


def peers(counts: Series, interval_s: int, horizon: int) -> dict[str, Series]:
    """Quantiles of every peer that the series is long enough for."""
    day = DAY_S // interval_s
    backs = {"last": horizon, "seasonal": day * math.ceil(horizon / day)}
    if len(counts) >= DAYS_FOR_WEEKS * day:
        backs["weekly"] = 7 * day
    found = {}
    for name, back in backs.items():
        if back < len(counts):
            points = repeated(counts, back)
            found[name] = np.repeat(points[:, np.newaxis], len(LEVELS), axis=1)
            found[f"{name}_residual"] = with_residuals(counts, points, horizon)
    return found


def losses(counts: Series, quantiles: Series) -> Series:
    """Pinball loss by interval and level."""
    levels = np.array(LEVELS)
    errors = counts[:, np.newaxis] - quantiles
    return np.asarray(np.maximum(levels * errors, (levels - 1) * errors))


def score(trace: Trace, horizon: int) -> dict[str, Any]:
    """The figures of one trace at one horizon; losses are summed over its series, so that large ones weigh more."""
    label = f"{trace.name}, {horizon} ahead"
    runs = []
    for counts in trace.series:
        ours, medians, seconds = replayed(counts, trace.interval_s, horizon, label)
        values = np.array([np.nan if count is None else count for count in counts])
        runs.append(Run(values, ours, medians, peers(values, trace.interval_s, horizon), seconds))
    scored = [~np.isnan(run.counts) & ~np.isnan(run.ours[:, 0]) for run in runs]
    later = [mask & (np.arange(len(mask)) >= len(mask) // 2) for mask in scored]
    steps = sum(int(mask.sum()) for mask in scored)
    pinball = sum(losses(r.counts, r.ours)[m].sum(axis=0) for r, m in zip(runs, scored, strict=True)) / steps
    found = {
        "horizon_s": horizon * trace.interval_s,
        "pinball": by_level(pinball, 4),
        "coverage": covered(runs, scored, lambda quantiles: quantiles),
        "coverage_of_one_less": covered(runs, scored, one_less),
        "steps": steps,
        "milliseconds_per_step": round(
            1000 * sum(run.seconds for run in runs) / sum(len(run.counts) for run in runs), 3
        ),
        "ratio_last_later_half": ratio(runs, later, "last"),
        "median_over_last": in_hindsight(runs, trace.interval_s, horizon),
    }
    return found | {f"ratio_{peer}": ratio(runs, scored, peer) for peer in PEERS}


def in_hindsight(runs: list[Run], interval_s: int, horizon: int) -> dict[str, float] | None:
    """The losses of the median that knowing better would have left, over the last value's."""
    told = [run for run in runs if "last" in run.peers]
    said = [Medians(run.ours[:, 0], run.medians, run.peers["last"][:, 0]) for run in told]
    return over_last([floors(r.counts, item, interval_s, horizon) for r, item in zip(told, said, strict=True)])


def covered(runs: list[Run], scored: list[NDArray[np.bool_]], bound: Callable[[Series], Series]) -> dict[str, float]:
    """How much of what came lay within what is made of the upper quantiles."""
    below = sum((r.counts[m, None] <= bound(r.ours[m])).sum(axis=0) for r, m in zip(runs, scored, strict=True))
    found = by_level(below / sum(int(mask.sum()) for mask in scored), 4)
    return {level: value for level, value in found.items() if level != "0.5"}


def one_less(quantiles: Series) -> Series:
    """One request less. The quantile of whole numbers covers at least its level, and with one less at most that."""
    return np.asarray(np.floor(quantiles) - 1 + HARDLY)


def ratio(runs: list[Run], scored: list[NDArray[np.bool_]], peer: str) -> dict[str, float] | None:
    """Our loss over the peer's where both forecast; None where the trace is too short for the peer."""
    ours = theirs = np.zeros(len(LEVELS))
    for run, mask in zip(runs, scored, strict=True):
        if peer in run.peers:
            both = mask & ~np.isnan(run.peers[peer][:, 0])
            ours = ours + losses(run.counts, run.ours)[both].sum(axis=0)
            theirs = theirs + losses(run.counts, run.peers[peer])[both].sum(axis=0)
    return by_level(ours / theirs, 3) if theirs.all() else None


def by_level(values: Series, digits: int) -> dict[str, float]:
    """A number for each level, under its name."""
    return {str(level): round(float(value), digits) for level, value in zip(LEVELS, values, strict=True)}


def overall(scores: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Geometric means of the ratios over the traces that have them, and the largest error of coverage.

    That is the distance of a level from what is covered, and for whole numbers from the span down to one request less.
    """
    found: dict[str, Any] = {}
    for peer in (*PEERS, "last_later_half"):
        ratios = [item[f"ratio_{peer}"] for item in scores.values() if item[f"ratio_{peer}"]]
        if ratios:
            logs = [[math.log(max(1e-9, item[str(level)])) for level in LEVELS] for item in ratios]
            found[f"ratio_{peer}"] = by_level(np.exp(np.mean(logs, axis=0)), 3)
    for level in ("0.9", "0.99"):
        errors = {name: abs(item["coverage"][level] - float(level)) for name, item in scores.items()}
        worst = max(errors, key=errors.__getitem__)
        found[f"worst_coverage_error_{level}"] = {"trace": worst, "points": round(100 * errors[worst], 2)}
        spans = {name: beside_span(item, level) for name, item in scores.items()}
        worst = max(spans, key=spans.__getitem__)
        found[f"worst_whole_coverage_error_{level}"] = {"trace": worst, "points": round(100 * spans[worst], 2)}
    return found


def beside_span(found: dict[str, Any], level: str) -> float:
    """How far the level lies outside what the quantile, and one request less, covered."""
    return max(0.0, float(level) - found["coverage"][level], found["coverage_of_one_less"][level] - float(level))


def row(name: str, found: dict[str, Any]) -> str:
    """A line of the table: the ratios at each level against four peers, coverage and cost."""
    cells = []
    for peer in ("last", "last_residual", "seasonal", "seasonal_residual"):
        ratios = found[f"ratio_{peer}"]
        cells.append(" ".join(f"{ratios[str(level)]:5.2f}" for level in LEVELS) if ratios else f"{'-':>17}")
    covered = f"{100 * found['coverage']['0.9']:6.2f} {100 * found['coverage']['0.99']:6.2f}"
    return f"{name:34}" + "  ".join(cells) + f"  {covered}{found['steps']:8}{found['milliseconds_per_step']:7.2f}"


def main() -> int:
    """Score every trace, or the one table that was given."""
    parser = argparse.ArgumentParser(description="Pinball loss and coverage of the demand forecasts.")
    parser.add_argument("--traces", type=Path, help="the folder of the traces")
    parser.add_argument("--workload", type=Path, help="a table time,rate to score in place of the traces")
    parser.add_argument("--plot", type=Path, help="where to draw the ratios and the coverage, a PNG file")
    asked = parser.parse_args()
    if asked.workload is None and asked.traces is None:
        parser.error("name the folder with --traces, or a table with --workload")
    print(f"{'':34}{'our pinball loss over theirs, at 0.5 0.9 0.99':74}  {'covered %':13}")
    heads = ("last value", "with residuals", "day before", "with residuals")
    print(
        f"{'trace, horizon':34}"
        + "  ".join(f"{head:17}" for head in heads)
        + f"  {'0.9':>6} {'0.99':>6}   steps     ms"
    )
    scores = {}
    for trace in [table(asked.workload)] if asked.workload else traces(asked.traces):
        for horizon in trace.horizons:
            name = f"{trace.name}+{horizon * trace.interval_s}s"
            scores[name] = score(trace, horizon)
            print(row(name, scores[name]), flush=True)
    print(f"\n{'the median, over the last value':34}" + "".join(f"{head:>17}" for head in FLOORS))
    for name, item in scores.items():
        if item["median_over_last"]:
            print(f"{name:34}" + "".join(f"{item['median_over_last'][head]:17.2f}" for head in FLOORS))
    found = {"traces": scores, "overall": overall(scores)}
    if asked.plot:
        from forecast_plot import draw  # noqa: PLC0415 - matplotlib is only needed to draw

        draw(scores, asked.plot)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
