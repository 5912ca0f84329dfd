"""How far predictions of a Triton's latency are from what clients saw.

Without `--measured`, a real Triton is started and its runs are measured (see `prediction_live`). `--measured TABLE`
scores earlier runs, three times. *From the same run*: the service times come from the run's own statistics, and the
arrivals are those of the run where they were kept; that scores the model of the server. (Instances that shared a core
are predicted from runs with one: their own statistics do not tell what each takes alone.) *From other runs*: the
service times come from other runs of the same profile, and the arrivals are made; that scores all of a prediction.
*From counters alone*: as the first, but the service times come from the sums that a Prometheus has of the run. The way
from the server back to the client is always taken from other runs. The figures at the top of the JSON object are the
first; `from_other_runs` and `from_counters_alone` have the others.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from counter_points import counted_curve, curve_errors
from measured_points import Point, read_points
from point_score import reply_path, score
from prediction_live import FULL_GRID, REQUESTS, live
from prediction_plot import plot_errors
from prediction_score import Scored, last_line, report
from shared_core_points import on_shared_core

from controller.performance.service_curve import service_curve
from controller.performance.serving import PYTHON_BACKEND_GAP, ServiceTimes

SAME = "from the same run"
OTHER = "from other runs"
COUNTERS = "from counters alone"


def score_table(points: Sequence[Point], *, same_run: bool) -> list[Scored]:
    """Every point that can be predicted: from other runs only those whose profile has any."""
    scored = []
    for point in points:
        others = [other for other in points if other is not point]
        known = [other for other in others if other.profile == point.profile and not other.shares_core]
        if same_run and not point.shares_core:
            known = [point]
        if not known:
            continue
        batching = point.batching
        if point.shares_core:
            batching = on_shared_core(batching, point.load.rate_rps, known)
        curve = service_curve([item for other in known for item in other.times], batching.max_batch)
        service = ServiceTimes(curve, point.spread, PYTHON_BACKEND_GAP, reply_path(others))
        replay = same_run and point.arrive_us.size > 0
        scored.append(score(replace(point, batching=batching), service, replay=replay))
    return scored


def score_from_counters(points: Sequence[Point]) -> list[Scored]:
    """Every point whose counters tell what its executions take: not those of instances that share a core."""
    scored = []
    for point in points:
        if not point.shares_core:
            others = [other for other in points if other is not point]
            service = ServiceTimes(counted_curve(point), point.spread, PYTHON_BACKEND_GAP, reply_path(others))
            scored.append(score(point, service, replay=point.arrive_us.size > 0))
    return scored


def main() -> None:
    """Score a table, or measure and score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measured", type=Path, help="a table of points that were measured earlier")
    parser.add_argument("--points", type=int, default=FULL_GRID, help="how many points of the grid to measure")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="requests a point")
    parser.add_argument("--output", type=Path, default=Path("build/prediction-triton"), help="where to keep the runs")
    arguments = parser.parse_args()
    if arguments.measured is None:
        result = live(arguments.points, arguments.requests, arguments.output)
    else:
        points = read_points(arguments.measured)
        scored = {title: score_table(points, same_run=same) for title, same in ((SAME, True), (OTHER, False))}
        scored[COUNTERS] = score_from_counters(points)
        result = report(SAME, scored[SAME])
        result["from_other_runs"] = report(OTHER, scored[OTHER])
        result["from_counters_alone"] = {**report(COUNTERS, scored[COUNTERS]), "service_time": curve_errors(points)}
        plot_errors(scored, arguments.output / "errors.png")
    print(last_line(result))


if __name__ == "__main__":
    main()
