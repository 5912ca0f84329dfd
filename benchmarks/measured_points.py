"""Points that were measured on a real Triton: how it was set, what its statistics said, and what clients saw."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from collectors.snapshot import BatchTime
from controller.performance.arrivals import STEADY, Burst
from controller.performance.prediction import PERCENTILES
from controller.performance.serving import Batching, Load

MMPP = Burst(depth=0.8, sojourn_us=250_000.0)
"""The bursts of the tables' `mmpp` arrivals: 1.8 and 0.2 times the mean rate, a quarter of a second each on average."""
SETTLED_S = 1.2


@dataclass(frozen=True, slots=True)
class Point:
    """One run at a constant mean rate. `profile` names what the model computes; `arrive_us` is empty where unknown.

    `spread` is the coefficient of variation of an execution, `mean_reply_us` the clients' mean latency less the
    server's own, `busy` the part of the server's core that was in use, and `stalled` says that something else disturbed
    the run.
    """

    name: str
    profile: str
    batching: Batching
    load: Load
    spread: float
    times: tuple[BatchTime, ...]
    mean_reply_us: float
    seen_us: tuple[float, ...]
    requests: int
    stalled: bool
    arrive_us: NDArray[np.float64]
    busy: float = 0.0

    @property
    def shares_core(self) -> bool:
        """Whether several instances compute on the server's one core, so that its statistics tell shared times."""
        return self.profile.startswith("C") and len(self.batching.speeds) > 1

    @property
    def mean_batch(self) -> float:
        """Requests an execution, on average."""
        return sum(item.batch * item.executions for item in self.times) / sum(item.executions for item in self.times)


def read_points(path: Path) -> list[Point]:
    """The points of a table, with the arrivals of each run where `raw/<id>.npz` lies beside it.

    Raises SystemExit with what is wrong when the table cannot be read.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [_point(row, path.parent / "raw" / f"{int(row['i']):02d}.npz") for row in csv.DictReader(file)]
    except (OSError, KeyError, ValueError) as error:
        raise SystemExit(
            f"error: {path} cannot be read as a table of measured points: {error!r}\n"
            "next:  give a file with the columns of the README beside it"
        ) from error


def _point(row: dict[str, str], raw: Path) -> Point:
    sent_s = np.sort(np.load(raw)["sched"]) if raw.is_file() else np.empty(0)
    return Point(
        name=row["i"],
        profile=f"{row['kind']} {row['a_s']} {row['k_s']} {row['jit']}",
        batching=Batching(int(row["max_batch"]), float(row["delay_us"]), speeds=(1.0,) * int(row["c"])),
        load=Load(float(row["real_rate_rps"]), MMPP if row["arrivals"] == "mmpp" else STEADY),
        spread=math.sqrt(math.expm1(float(row["jit"]) ** 2)),
        times=tuple(
            BatchTime(int(batch), int(count), round(int(count) * float(mean_ms) * 1000))
            for batch, count, mean_ms in zip(
                *(row[name].split(";") for name in ("batch_sizes", "batch_exec_counts", "batch_occ_ms")), strict=True
            )
        ),
        mean_reply_us=1000 * (float(row["mean_ms"]) - float(row["success_ms_per_req"])),
        seen_us=tuple(1000 * float(row[f"p{percentile}_ms"]) for percentile in PERCENTILES),
        requests=int(row["n_used"]),
        stalled=row["stall_flag"] == "1",
        arrive_us=1e6 * (sent_s - sent_s[0]) if sent_s.size else sent_s,
        busy=float(row["cpu1_busy"]),
    )
