"""Predicting a real Triton's latency before each run, measuring the run, and scoring the prediction.

A prediction knows the setting and the load that will be offered, and of the model only what earlier runs taught: s(b)
from the server's batch statistics, the way back to the client from clients' and server's mean latencies, and the
scatter of single executions from requests sent one after another. Just before a point the server is looked at under
four fifths of its load, as a controller sees the present load before it plans for a higher one: the curve of the
earlier runs is scaled to that look. Instances that compute share the server's one core; their s(b) is that of the
busiest runs with one instance, and what handling requests takes of the core is learnt from the same runs.
"""

import math
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from measured_points import Point
from open_loop import offer
from open_loop_grid import ServedModel, Setting, grid
from open_loop_run import Run, run
from open_loop_server import Served, served
from open_loop_table import append_point
from point_score import reply_path, score
from prediction_plot import plot_errors
from prediction_score import Scored, report
from service_change import DURATION_S, recovery
from shared_core_points import on_shared_core, typical_handling_us

from collectors.snapshot import BatchTime
from controller.performance.service_curve import service_curve
from controller.performance.serving import PYTHON_BACKEND_GAP, Batching, ServiceTimes, capacity_rps

BEFORE = "predicted before each run"
FULL_GRID = 60
REQUESTS = 20_000
CALIBRATION_REQUESTS = 2400
CALIBRATION_ERROR = 0.01
"""Where executions scatter, there are as many as tell their mean to this part, were each to hold one request."""
CALIBRATION_UTILISATION = 0.6
SHARING_UTILISATION = 0.75
"""For instances that will share a core: where it seldom rests, an execution's time is what it takes of the core."""
CALIBRATION_BATCH = 8
ALONE_REQUESTS = 300
LOOK_PART = 0.8
LOOK_S = 6.0
LOOK_FEWEST = 100
LOOK_SEEDS = 500
"""Looks see other arrivals than the points do."""
SET_UP_S = 4.0
"""About what it takes to load a model for a run, and to predict and score it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a prediction rests on, and the rate that will be offered."""

    batching: Batching
    service: ServiceTimes
    rate_rps: float


def live(points: int, requests: int, output: Path) -> dict[str, object]:
    """Measure the first points of the grid; print how the predictions did, and return their summary."""
    settings = grid(points)
    models = list(dict.fromkeys(setting.model for setting in settings))
    print(f"{len(settings)} points, {len(models)} models: about {_duration_s(settings, requests) / 60:.0f} minutes")
    scored: list[Scored] = []
    disturbed = 0
    with tempfile.TemporaryDirectory(prefix="gridwright-bench-") as work, served(models, Path(work)) as server:
        known = {model: _calibrated(server, model) for model in models}
        changed = _after_a_change(server, known)
        with suppress(KeyboardInterrupt):  # what was measured until then is reported
            for number, setting in enumerate(settings):
                expected = _expected(server, number, setting, known)
                done = run(server, number, setting, expected.rate_rps, requests)
                append_point(done, output)
                point = done.point(expected.service.spread)
                scored.append(score(replace(point, batching=expected.batching), expected.service))
                known[setting.model].append(point)
                disturbed += bool(done.disturbances)
                _tell(done, scored[-1], len(settings))
    result = report(BEFORE, scored)
    plot_errors({BEFORE: scored}, output / "errors.png")
    print(f"{disturbed} of {len(scored)} runs were disturbed. They are kept in {output}")
    return {**result, "disturbed": disturbed, "service_change": changed}


def _expected(server: Served, number: int, setting: Setting, known: dict[ServedModel, list[Point]]) -> Expected:
    """What is known of a setting just before its run."""
    batching, service = _batching(setting), _earlier(known, setting)
    capacity = capacity_rps(service, batching)
    if batching.cores is not None:
        single = [point for point in known[setting.model] if not point.shares_core]
        rate_rps = setting.utilisation / (1 / capacity + typical_handling_us(single) / 1e6)
        return Expected(on_shared_core(batching, rate_rps, single), service, rate_rps)
    looked = _looked(server, number, setting, LOOK_PART * setting.utilisation * capacity)
    curve = service_curve(looked, batching.max_batch, service.batch_us, service.spread)
    service = replace(service, batch_us=curve)
    return Expected(batching, service, setting.utilisation * capacity_rps(service, batching))


def _calibrated(server: Served, model: ServedModel) -> list[Point]:
    """What a short run with one instance teaches of a model: the first of the points that are known of it."""
    utilisation = SHARING_UTILISATION if model.computes else CALIBRATION_UTILISATION
    setting = Setting(model, 1, CALIBRATION_BATCH, 0, utilisation, "poisson")
    server.load(model, 1, CALIBRATION_BATCH, 0)
    alone = offer(server.port, [server.request()] * ALONE_REQUESTS, np.zeros(ALONE_REQUESTS), connections=1)
    spread = _spread(alone.answered_s - alone.sent_s)
    requests = CALIBRATION_REQUESTS + round((model.spread / CALIBRATION_ERROR) ** 2)
    done = run(server, -1, setting, setting.nominal_rps, requests)
    print(f"{model.name}: scatter {spread:.2f}, {_curve_ms(done)}")
    return [done.point(spread)]


def _spread(times_s: np.ndarray) -> float:
    """The coefficient of variation of a lognormal with these quartiles, which a few disturbed requests do not move."""
    lower, upper = np.percentile(times_s, (25, 75))
    sigma = math.log(upper / lower) / 1.349
    return math.sqrt(math.expm1(sigma**2))


def _earlier(known: dict[ServedModel, list[Point]], setting: Setting) -> ServiceTimes:
    """What earlier runs taught."""
    points = [point for point in known[setting.model] if not point.shares_core]
    everywhere = [point for of_model in known.values() for point in of_model]
    curve = service_curve([item for point in points for item in point.times], setting.max_batch)
    return ServiceTimes(curve, points[0].spread, PYTHON_BACKEND_GAP, reply_path(everywhere))


def _looked(server: Served, number: int, setting: Setting, rate_rps: float) -> Sequence[BatchTime]:
    """What the batch statistics say under a part of the load."""
    requests = max(LOOK_FEWEST, round(rate_rps * LOOK_S))
    return run(server, LOOK_SEEDS + number, setting, rate_rps, requests).counted.times


def _batching(setting: Setting) -> Batching:
    cores = 1.0 if setting.model.computes and setting.instances > 1 else None
    return Batching(setting.max_batch, float(setting.delay_us), speeds=(1.0,) * setting.instances, cores=cores)


def _after_a_change(server: Served, known: dict[ServedModel, list[Point]]) -> dict[str, object]:
    """On the first model that does not compute: one that takes more time, and not also its neighbours'."""
    model = next((item for item in known if not item.computes), next(iter(known)))
    setting = Setting(model, 1, CALIBRATION_BATCH, 0, CALIBRATION_UTILISATION, "poisson")
    server.load(model, 1, CALIBRATION_BATCH, 0)
    return recovery(server, _earlier(known, setting))


def _duration_s(settings: Sequence[Setting], requests: int) -> float:
    runs_s = sum(requests / item.nominal_rps + LOOK_S + SET_UP_S for item in settings)
    first = {item.model: item for item in settings}.values()
    capacities = (Setting(item.model, 1, CALIBRATION_BATCH, 0, CALIBRATION_UTILISATION, "poisson") for item in first)
    return runs_s + sum(CALIBRATION_REQUESTS / item.nominal_rps + SET_UP_S for item in capacities) + DURATION_S


def _tell(done: Run, point: Scored, points: int) -> None:
    errors = "/".join(f"{100 * error:+.0f}" for error in point.errors)
    disturbed = f" ({', '.join(done.disturbances)})" if done.disturbances else ""
    print(
        f"{time.strftime('%H:%M:%S')} {done.number + 1}/{points} {done.setting.model.name} {point.kind} "
        f"{done.rate_rps:.0f}/s: p99 {point.seen_us[-1] / 1000:.1f} ms, errors {errors} %, "
        f"core taken {100 * done.core_taken:.0f} %, late {done.late_us / 1000:.2f} ms{disturbed}",
        flush=True,
    )


def _curve_ms(done: Run) -> str:
    sizes = (f"{item.batch}: {item.total_us / item.executions / 1000:.1f}" for item in done.counted.times)
    return f"s(b) in ms {', '.join(sizes)}"
