"""Predicted against seen latency of whole pipelines, on the example's embedded fleet with 20 ms between its sites.

Real Triton servers, real networks and a real Envoy serve a steady Poisson load under a running controller; device speed
and WAN delay are emulated. When the fleet has settled, every run is measured for `--seconds`. The prediction is of the
plans that ran, at the rates that were really offered, with what the controller has learnt of service times by itself.
It prints a table and, as its last line, a JSON object.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from controlled_fleet import Controlled, controlled_fleet
from rich.console import Console
from rich.table import Table

from controller.decision import Forecast
from controller.journal.reader import reading
from controller.planning.build import build
from controller.planning.options import speeds
from controller.planning.outlook import forecasts

RTT = "20ms"
FACTOR = 2.0
SETTLE_S = 45.0
PERCENTILES = (50, 95, 99)


def runs(results: Path, since_s: float, until_s: float) -> dict[tuple[str, str], list[float]]:
    """Latencies in ms of the answered runs that were due in a span, by service and origin."""
    found: dict[tuple[str, str], list[float]] = {}
    for line in results.read_text(encoding="utf-8").splitlines():
        run = json.loads(line)
        if run.get("status") == "ok" and since_s <= run["intended_s"] < until_s:
            found.setdefault((run["service"], run["origin"]), []).append(run["latency_us"] / 1000)
    return found


def predicted(
    controlled: Controlled, rates_rps: dict[tuple[str, str], float], since_s: float, until_s: float
) -> dict[tuple[str, str], np.ndarray]:
    """p50, p95 and p99 in ms by demand at these rates: the mean over the plans that ran, by how long each did."""
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    known: dict[str, tuple[Forecast, ...]] = {}
    policy = controlled.policy
    with reading(controlled.journal) as reader:
        for last in reader.decisions():
            if not since_s <= last.at.timestamp() < until_s:
                continue
            plan = repr((last.state.plan, [item.used_us for item in last.state.learnt]))
            if plan not in known:
                problem = build(policy, last.snapshot, last.state, last.at).whole
                demands = tuple(
                    replace(item, rate_milli_rps=max(1, round(1000 * rates_rps.get((item.service, item.origin), 0.0))))
                    for item in problem.demands
                )
                speed = speeds(policy, last.state.learnt, last.state.interference, last.state.crowding)
                known[plan] = forecasts(last.state.plan, replace(problem, demands=demands), speed, last.state.bursts)
            for item in known[plan]:
                values_ms = np.array([item.p50_us, item.p95_us, item.p99_us]) / 1000
                found.setdefault((item.service, item.origin), []).append(values_ms)
    print(f"{len(known)} plans or speeds ran")
    return {key: np.mean(values, axis=0) for key, values in found.items()}


def measured(work: Path, seconds: float) -> Iterator[tuple[str, str, list[float], list[float]]]:
    """Each demand's service and origin, its percentiles in ms as predicted, and the latencies in ms of its runs."""
    with controlled_fleet(work, {r"rtt: \d+ms": f"rtt: {RTT}"}, FACTOR, depth_permille=0) as controlled:
        time.sleep(SETTLE_S)
        since_s = time.time()
        time.sleep(seconds)
        until_s = time.time()
        time.sleep(3)
        seen = runs(controlled.results, since_s, until_s)
        rates_rps = {key: len(latencies) / (until_s - since_s) for key, latencies in seen.items()}
        for (service, origin), told_ms in predicted(controlled, rates_rps, since_s, until_s).items():
            yield service, origin, told_ms.tolist(), seen.get((service, origin), [])


def main() -> None:
    """Measure, print, and give the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300.0, help="how long to measure, at most 1800")
    seconds = min(1800.0, parser.parse_args().seconds)
    print(f"one run of {seconds + SETTLE_S + 20:.0f} s", flush=True)
    table = Table(title="whole pipelines, predicted | seen in ms")
    for name in ("service", "origin", "runs", "p50", "p95", "p99", "error of p99"):
        table.add_column(name, justify="left" if name in {"service", "origin"} else "right")
    figures = {}
    with tempfile.TemporaryDirectory(prefix="gridwright-bench-") as work:
        for service, origin, told_ms, latencies_ms in measured(Path(work), seconds):
            seen_ms = np.percentile(latencies_ms, PERCENTILES).tolist()
            errors = [told / seen - 1 for told, seen in zip(told_ms, seen_ms, strict=True)]
            cells = (f"{told:.0f} | {seen:.0f}" for told, seen in zip(told_ms, seen_ms, strict=True))
            runs_told = str(len(latencies_ms))
            table.add_row(service, origin, runs_told, *cells, f"{100 * errors[-1]:+.1f} %")
            key = f"{service}@{origin}"
            figures[key] = {f"p{p}": round(100 * error, 1) for p, error in zip(PERCENTILES, errors, strict=True)}
            figures[key]["runs"] = len(latencies_ms)
    Console(width=110).print(table)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
