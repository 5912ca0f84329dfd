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
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from controller.connections import write_connections
from controller.embedded.fleet import embedded_fleet
from controller.embedded.traffic import start_traffic
from policy.source import load

ROOT = Path(__file__).parents[1]
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


@contextmanager
def started_controller(work: Path) -> Iterator[int]:
    """The process id of a controller that looks after the example's embedded fleet under its expected load."""
    shutil.copytree(ROOT / "examples" / "embedded", work / "policy")
    for file in (work / "policy").glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        file.write_text(re.sub(r"interval: \d+s", f"interval: {INTERVAL_S}s", text), encoding="utf-8")
    policy = load(work / "policy").policy
    if policy is None:
        raise SystemExit("the example's policy is broken: `gridwright check examples/embedded` tells where")
    with embedded_fleet(policy, ROOT / ".venv-triton", work / "fleet", paced=True) as fleet, ExitStack() as stack:
        write_connections(fleet.connections, work / "connections.json")
        log = stack.enter_context((work / "controller.log").open("wb"))
        gridwright = Path(sys.executable).with_name("gridwright")
        journal = work / "journal.db"
        child = subprocess.Popen(
            [gridwright, "run", work / "policy", "--connections", work / "connections.json", "--journal", journal],
            stdout=log,
            stderr=log,
        )
        stack.callback(child.wait)
        stack.callback(child.terminate)
        start_traffic(policy, fleet, work / "fleet", 1.0)
        time.sleep(SETTLE_S)
        yield child.pid


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
    with tempfile.TemporaryDirectory() as work, started_controller(Path(work)) as pid:
        return watched(pid, asked.seconds)


if __name__ == "__main__":
    sys.exit(main())
