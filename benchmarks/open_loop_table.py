"""Runs as a table that `measured_points.read_points` reads, with the times of every request beside it."""

import csv
import math
from pathlib import Path

import numpy as np
from open_loop_run import Run

from controller.performance.prediction import PERCENTILES


def append_point(run: Run, folder: Path) -> None:
    """A row of `points.csv`, and `raw/<id>.npz` with when each request was due, sent and answered, in seconds.

    The first run of a table, number 0, takes the place of an earlier table.
    """
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    row, times = _row(run), run.offered
    np.savez_compressed(
        folder / "raw" / f"{run.number:02d}.npz", sched=times.due_s, ts=times.sent_s, te=times.answered_s
    )
    with (folder / "points.csv").open("w" if run.number == 0 else "a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row))
        if run.number == 0:
            writer.writeheader()
        writer.writerow(row)


def _row(run: Run) -> dict[str, object]:
    setting, model, counted = run.setting, run.setting.model, run.counted
    latency_ms, all_ms = run.latency_us / 1000, run.offered.latency_us / 1000
    return {
        "i": run.number,
        "kind": model.kind,
        "a_s": model.base_us / 1e6,
        "k_s": model.each_us / 1e6,
        "jit": round(math.sqrt(math.log1p(model.spread**2)), 4),
        "c": setting.instances,
        "max_batch": setting.max_batch,
        "delay_us": setting.delay_us,
        "arrivals": setting.arrivals,
        "rho_nominal": setting.utilisation,
        "rate_rps": round(run.rate_rps, 2),
        "real_rate_rps": round(run.realised_rps, 2),
        "n": all_ms.size,
        "n_used": latency_ms.size,
        **{f"p{rank}_ms": round(float(np.percentile(latency_ms, rank)), 3) for rank in PERCENTILES},
        "mean_ms": round(float(all_ms.mean()), 3),
        "stall_flag": int(bool(run.disturbances)),
        "disturbed_by": ";".join(run.disturbances),
        "max_silence_ms": round(run.silence_us / 1000, 1),
        "mean_batch": round(counted.requests / counted.executions, 4),
        "exec_count": counted.executions,
        "queue_ms_per_req": round(counted.queue_us / counted.requests / 1000, 4),
        "success_ms_per_req": round(counted.success_us / counted.requests / 1000, 4),
        "batch_sizes": ";".join(str(item.batch) for item in counted.times),
        "batch_exec_counts": ";".join(str(item.executions) for item in counted.times),
        "batch_occ_ms": ";".join(f"{item.total_us / item.executions / 1000:.4f}" for item in counted.times),
        "cpu1_busy": round(run.busy, 4),
        "core_taken": round(run.core_taken, 4),
        "send_lag_p99_ms": round(run.late_us / 1000, 3),
    }
