"""How well a table of closed-loop measurements predicts what it does not hold.

`python benchmarks/prediction_tables.py TABLE.csv [--hold-gpu NAME] [--plot FILE.png]` hides three kinds of rows and
compares: the upper half of every sweep over concurrency, the batch sizes between the measured ones, and everything
measured on one device. Nothing that is scored is fitted; the corners of batch curves are learned from other models
(leave-one-model-out). It prints a table and, as its last line, a JSON object.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from relative_errors import Errors, errors_of, medians, plot, score, scored

from controller.performance.tables.batch import Corners
from controller.performance.tables.common_work import common_work
from controller.performance.tables.concurrency import DECAY, fit_concurrency
from controller.performance.tables.devices import UnknownDeviceError
from controller.performance.tables.errors import TableError
from controller.performance.tables.measurement import Measurement, Sweep, batch_sweeps, concurrency_sweeps
from controller.performance.tables.reading import read_table
from controller.performance.tables.unseen_device import UnseenPrediction, predict_unseen

Array = NDArray[np.float64]
DECAYS = (0.0, 0.125, 0.25, 0.375, 0.5)
"""From a common slowness to independent service times."""


def family(model: str) -> str:
    """The sizes of one network are left out together: `GPUNet/05ms-D` and `GPUNet/175ms` are GPUNet."""
    return model.split("/", maxsplit=1)[0]


def upper_concurrency(sweeps: Sequence[Sweep], decay: float) -> list[Errors]:
    """Fit all lower halves, predict all upper halves."""
    halves = [len(sweep) // 2 for sweep in sweeps]
    curves = fit_concurrency([sweep[:half] for sweep, half in zip(sweeps, halves, strict=True)], decay)
    found = []
    for sweep, half, curve in zip(sweeps, halves, curves, strict=True):
        upper = np.array([row.concurrency for row in sweep[half:]], dtype=np.float64)
        found.append(errors_of(sweep[half:], curve.mean_ms(upper), curve.p99_ms(upper)))
    return found


def straight_lines(sweeps: Sequence[Sweep]) -> list[Errors]:
    """The same by an unweighted straight line through each lower half: what there is to beat."""
    found = []
    for sweep in sweeps:
        half = len(sweep) // 2
        n = np.array([row.concurrency for row in sweep], dtype=np.float64)
        lines = [
            np.polyval(np.polyfit(n[:half], [measured(row) for row in sweep[:half]], 1), n[half:])
            for measured in (lambda row: row.mean_ms, lambda row: row.tail_ms)
        ]
        found.append(errors_of(sweep[half:], *lines))
    return found


def left_out(by_decay: dict[float, list[Errors]]) -> list[Errors]:
    """Each family's errors with the decay whose p99 is best for the other families."""
    families = {family(item.model) for item in by_decay[DECAY]}
    if len(families) == 1:
        return by_decay[DECAY]
    found: list[Errors] = []
    for hidden in sorted(families):
        best = min(by_decay, key=lambda decay: _p99_of_others(by_decay[decay], hidden))
        found += [item for item in by_decay[best] if family(item.model) == hidden]
    return found


def _p99_of_others(errors: Sequence[Errors], hidden: str) -> float:
    return score([item for item in errors if family(item.model) != hidden], by_row=False)["p99_mape"]


def batches(sweeps: Sequence[Sweep], kept: Callable[[int], list[int]]) -> list[Errors]:
    """Hide all sizes but the kept ones (indices, from the number of sizes); other families alone teach the corners."""
    found = []
    for sweep in sweeps:
        corners = Corners.learned([item for item in sweeps if family(model_of(item)) != family(model_of(sweep))])
        indices = kept(len(sweep))
        hidden = tuple(row for i, row in enumerate(sweep) if i not in indices)
        curve = corners.curve(tuple(sweep[i] for i in indices))
        sizes = np.array([row.batch for row in hidden], dtype=np.float64)
        found.append(errors_of(hidden, curve.mean_ms(sizes), curve.p99_ms(sizes)))
    return found


def model_of(sweep: Sweep) -> str:
    """The model of a sweep."""
    return sweep[0].setup.model


def unseen(rows: Sequence[Measurement], device: str) -> tuple[Errors, dict[str, float]]:
    """Hide a device altogether; its errors, and how the intervals did."""
    predictions = [item for item in predict_unseen(common_work(rows), device) if device in item.work.on]
    measured = np.exp([[item.work.on[device].log_mean, item.work.on[device].log_tail] for item in predictions])
    avg = np.array([item.avg_ms for item in predictions]) / measured[:, 0] - 1
    p99 = np.array([item.p99_ms for item in predictions]) / measured[:, 1] - 1
    return Errors("", device, avg, p99), intervals(predictions, measured[:, 0])


def intervals(predictions: Sequence[UnseenPrediction], measured: Array) -> dict[str, float]:
    """What part of the measurements the intervals cover, and their ends over and under the prediction as a factor."""
    covered = [item.low_ms <= value <= item.high_ms for item, value in zip(predictions, measured, strict=True)]
    return {
        "interval_coverage_percent": round(100 * float(np.mean(covered)), 1),
        "interval_factor": round(float(np.median([item.high_ms / item.avg_ms for item in predictions])), 2),
    }


def unseen_devices(rows: Sequence[Measurement], hold: str | None) -> tuple[dict[str, object], list[Errors]]:
    """Each device hidden in turn, or the one named; the score is the mean over all of their rows."""
    names = sorted({row.device for row in rows})
    chosen = [name for name in names if hold is None or hold.lower() in name.lower()]
    if not chosen:
        raise SystemExit(f"no device '{hold}' in the table: HOLD_GPU is part of one of {', '.join(names)}")
    errors, per_gpu = [], {}
    for name in chosen:
        found, covered = unseen(rows, name)
        errors.append(found)
        per_gpu[name] = {**score([found], by_row=True), **medians(found), "rows": len(found.avg), **covered}
    joined = Errors("", "", np.concatenate([e.avg for e in errors]), np.concatenate([e.p99 for e in errors]))
    result: dict[str, object] = {
        **score([joined], by_row=True),
        "rows": len(joined.avg),
        **medians(joined),
        "per_gpu": per_gpu,
    }
    return result, errors


def littles_law(rows: Iterable[Measurement]) -> dict[str, float]:
    """Throughput * latency / (concurrency * batch) over the table: how far its own columns agree."""
    ratios = [
        row.throughput_ips * row.avg_ms / 1000 / (row.concurrency * row.batch) for row in rows if row.avg_ms is not None
    ]
    if not ratios:
        return {}
    low, middle, high = np.quantile(ratios, (0.05, 0.5, 0.95))
    return {"p5": round(float(low), 3), "median": round(float(middle), 3), "p95": round(float(high), 3)}


def run(rows: Sequence[Measurement], hold: str | None, image: Path | None) -> dict[str, object]:
    """All scores; those of which the table has no sweep are left out."""
    result: dict[str, object] = {}
    curves: dict[str, list[Errors]] = {}
    if sweeps := concurrency_sweeps(rows):
        by_decay = {decay: upper_concurrency(sweeps, decay) for decay in DECAYS}
        result |= {
            f"upper_concurrency{suffix}": scored(found, by_row=False, method=method)
            for suffix, found, method in (
                ("", by_decay[DECAY], "nothing chosen on these sweeps"),
                ("_decay_chosen", left_out(by_decay), "decay chosen leave-one-family-out"),
                ("_straight_line", straight_lines(sweeps), "unweighted straight line"),
            )
        }
        result["upper_concurrency_p99_by_decay"] = {
            decay: score(errors, by_row=False)["p99_mape"] for decay, errors in by_decay.items()
        }
        curves["upper concurrencies"] = by_decay[DECAY]
    if sizes := batch_sweeps(rows):
        middle, alternate = batches(sizes, lambda n: [0, n - 1]), batches(sizes, lambda n: list(range(0, n, 2)))
        taught = "corners learned leave-one-family-out"
        result["middle_batch"] = scored(middle, by_row=True, method=taught)
        result["alternate_batch"] = scored(alternate, by_row=True, method=taught)
        curves |= {"batches between the ends": middle, "every other batch": alternate}
    if len({row.device for row in rows}) > 1:
        result["unseen_gpu"], each = unseen_devices(rows, hold)
        curves |= {f"unseen {item.device.split('(')[-1].removesuffix(')')}": [item] for item in each}
    result["littles_law"] = littles_law(rows)
    if image is not None:
        plot(curves, image)
    return result


def show(result: dict[str, object]) -> None:
    """The scores as a table."""
    print(f"{'':42}{'avg MAPE %':>11}{'p99 MAPE %':>11}{'rows':>7}")
    for name, value in result.items():
        if isinstance(value, dict) and "avg_mape" in value:
            print(f"{name:42}{value['avg_mape']:>11}{value['p99_mape']:>11}{value['rows']:>7}")
            for gpu, part in value.get("per_gpu", {}).items():
                line = f"{part['avg_mape']:>11}{part['p99_mape']:>11}{part['rows']:>7}"
                medians_of = f"median {part['avg_median_ape']} / {part['p99_median_ape']}"
                covered = f"covered {part['interval_coverage_percent']} % within x{part['interval_factor']}"
                print(f"  {gpu:40}{line}   {medians_of}, {covered}")


def main() -> int:
    """Score the table that was given."""
    parser = argparse.ArgumentParser(description="How well a table of measurements predicts what it does not hold.")
    parser.add_argument("table", type=Path, help="a CSV of measurements (docs/prediction-tables.md lists the formats)")
    parser.add_argument("--hold-gpu", help="hide this device alone, by a part of its name; all in turn without it")
    parser.add_argument("--plot", type=Path, help="write the distribution of the errors to this PNG")
    asked = parser.parse_args()
    try:
        result = run(read_table(asked.table), asked.hold_gpu, asked.plot)
    except (TableError, UnknownDeviceError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if result.keys() == {"littles_law"}:
        print(
            "error: nothing to hide: a sweep needs 4 concurrencies or 3 batch sizes, or a second device",
            file=sys.stderr,
        )
        return 1
    show(result)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
