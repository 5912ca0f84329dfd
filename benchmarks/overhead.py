"""What the controller itself costs: CPU of one core and resident memory of a running process, sampled from /proc.

`python benchmarks/overhead.py --pid PID` watches a controller that runs already, at whatever interval its policy sets.
Without a process it starts the example's embedded fleet, its load and `gridwright run` at an interval of 5 s, and
watches that. It prints a table and, as its last line, a JSON object, and ends with status 1 when the process goes away
or a limit is passed: 10 % of one core, 300 MiB.
"""

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from controlled_fleet import controlled_fleet

INTERVAL_S = 5
SAMPLE_S = 5.0
SETTLE_S = 25.0
"""The first placement is made in this time; what is watched is a controller at work, not its start."""
CPU_LIMIT_PERCENT = 10.0
RSS_LIMIT_MIB = 300.0
MIB = 1024 * 1024
LONGEST_S = 600


@dataclass(frozen=True, slots=True)
class Sample:
    """CPU seconds used so far, of the process and all its threads, and its resident memory, at one instant."""

    at_s: float
    cpu_s: float
    rss_mib: float


@dataclass(frozen=True, slots=True)
class Overhead:
    """The figures over the whole span; `cpu_peak_percent` is that of the busiest span between two samples."""

    seconds: float
    cpu_percent: float
    cpu_peak_percent: float
    rss_mib: float
    rss_peak_mib: float
    within_limits: bool


def sample(pid: int) -> Sample:
    """Raises FileNotFoundError or ProcessLookupError when the process has gone."""
    # The command name may hold spaces and brackets; the fields are counted behind it.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    user, system, pages = int(fields[11]), int(fields[12]), int(fields[21])
    ticks = os.sysconf("SC_CLK_TCK")
    return Sample(time.monotonic(), (user + system) / ticks, pages * os.sysconf("SC_PAGE_SIZE") / MIB)


def measure(pid: int, seconds: float) -> list[Sample]:
    """Samples over the span, both ends included."""
    samples = [sample(pid)]
    end = samples[0].at_s + seconds
    while samples[-1].at_s < end:
        time.sleep(min(SAMPLE_S, max(0.0, end - time.monotonic())))
        samples.append(sample(pid))
    return samples


def overhead(samples: list[Sample]) -> Overhead:
    """What the samples say."""
    first, last = samples[0], samples[-1]
    spans = itertools.pairwise(samples)
    percents = [100 * (after.cpu_s - before.cpu_s) / (after.at_s - before.at_s) for before, after in spans]
    cpu = 100 * (last.cpu_s - first.cpu_s) / (last.at_s - first.at_s)
    peak = max(item.rss_mib for item in samples)
    return Overhead(
        seconds=round(last.at_s - first.at_s, 1),
        cpu_percent=round(cpu, 2),
        cpu_peak_percent=round(max(percents), 2),
        rss_mib=round(last.rss_mib, 1),
        rss_peak_mib=round(peak, 1),
        within_limits=cpu < CPU_LIMIT_PERCENT and peak < RSS_LIMIT_MIB,
    )


def watched(pid: int, seconds: float) -> int:
    """Measure, print, and say by the exit status whether the limits were kept."""
    try:
        found = overhead(measure(pid, min(seconds, LONGEST_S)))
    except (FileNotFoundError, ProcessLookupError):
        print(f"process {pid} is not there any more: see its log, or give the id of one that runs", file=sys.stderr)
        return 1
    print(f"{'':24}{'measured':>10}{'limit':>10}")
    print(f"{'CPU, % of one core':24}{found.cpu_percent:>10}{CPU_LIMIT_PERCENT:>10}")
    print(f"{'CPU, busiest span':24}{found.cpu_peak_percent:>10}")
    print(f"{'resident, MiB, highest':24}{found.rss_peak_mib:>10}{RSS_LIMIT_MIB:>10}")
    print(json.dumps(asdict(found)))
    return 0 if found.within_limits else 1


def main() -> int:
    """Watch the process that was given, or one of our own."""
    parser = argparse.ArgumentParser(description="What the controller itself costs, as CPU and memory.")
    parser.add_argument("--pid", type=int, help="a controller that runs; without it, one is started with a fleet")
    parser.add_argument("--seconds", type=float, default=60.0, help=f"how long to watch, at most {LONGEST_S}")
    asked = parser.parse_args()
    if asked.pid is not None:
        return watched(asked.pid, asked.seconds)
    interval = {r"interval: \d+s": f"interval: {INTERVAL_S}s"}
    with tempfile.TemporaryDirectory() as work, controlled_fleet(Path(work), interval, 1.0) as controlled:
        time.sleep(SETTLE_S)
        return watched(controlled.pid, asked.seconds)


if __name__ == "__main__":
    sys.exit(main())
