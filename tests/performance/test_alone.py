"""From snapshots to times without neighbours, and to what neighbours add."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from collectors.snapshot import (
    Batches,
    BatchTime,
    LoadedModel,
    ModelState,
    QueueLevel,
    Reading,
    Snapshot,
    StageWork,
    Work,
)
from controller.decision import Interference, LearntTimes
from controller.performance.alone import accompanied, alone, effects_of, learn_effects
from controller.performance.arrivals import poisson_us
from controller.performance.learn import learn
from controller.performance.serving import Batching, PerBatch, ServiceTimes, answered_us
from controller.performance.windows import Window, windows
from policy.resolved import Policy
from rules.kernel.problem import Node, Placement, Running

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
POOL, NODE = "edge-paris", "edge-paris-0"
CLS, DET = (Placement(model, "fp32", POOL) for model in ("ppocr-cls", "ppocr-det"))
RUNNING = (Running(CLS, NODE, 1), Running(DET, NODE, 1))
NODES = (Node(NODE, POOL),)
WINDOW_S = 10.0
ALONE_US = 25_000
"""What an execution of the small model takes alone, where its profile says 30,000."""

Known = tuple[tuple[LearntTimes, ...], tuple[Interference, ...]]


def read(placement: Placement, executions: int, each_us: float, window_s: float) -> Batches:
    times = (BatchTime(1, executions, round(executions * each_us)),)
    return Batches(POOL, placement.model, placement.variant, Reading(times, NOW, "server"), window_s)


def taught(policy: Policy, snapshot: Snapshot, known: Known) -> Known:
    seen = accompanied(windows(policy, snapshot, {}, known[0], NOW), RUNNING, NODES)
    effects = learn_effects(policy, seen, known[0], effects_of(policy, known[1]))
    learnt = learn(policy, alone(seen, effects), known[0])
    return learnt, tuple(item for _, item in sorted(effects.known.items()))


def after(policy: Policy, count: int, beta: float, window_s: float = WINDOW_S) -> Known:
    rng = np.random.default_rng(3)
    known: Known = ((), ())
    for busy in rng.uniform(0, 0.9, count):
        executions = round(float(busy) * WINDOW_S / 0.25)
        each_us = ALONE_US * (1 + beta * executions * 0.25 / WINDOW_S) * (1 + 0.01 * float(rng.standard_normal()))
        counted = (read(CLS, 100, each_us, window_s), read(DET, max(1, executions), 250_000, window_s))
        known = taught(policy, Snapshot(NOW, batches=counted), known)
    return known


def cls_time_us(known: Known) -> int:
    return next(item.used_us[0] for item in known[0] if item.model == CLS.model)


def test_times_without_neighbours_and_what_one_adds_are_told_apart_within_sixty_windows(example: Policy) -> None:
    known = after(example, 60, 0.5)
    key = (CLS.model, CLS.variant, "edge-module")
    assert cls_time_us(known) == pytest.approx(ALONE_US, rel=0.06)
    assert effects_of(example, known[1]).slowdown(key, {(DET.model, DET.variant): 0.8}) == pytest.approx(1.4, rel=0.05)


def test_windows_of_unknown_length_teach_times_as_they_are_and_nothing_of_neighbours(example: Policy) -> None:
    assert after(example, 10, 0.5, window_s=0.0)[1] == ()
    counted = read(CLS, 100, 40_000, 0.0)
    busy = read(DET, 30, 250_000, 0.0)
    seen = accompanied(windows(example, Snapshot(NOW, batches=(counted, busy)), {}, (), NOW), RUNNING, NODES)
    found = alone(seen, effects_of(example, ()))
    assert found[CLS.model, CLS.variant, "edge-module"] == list(counted.reading.value or ())


def test_counters_alone_teach_the_curve_of_a_model_that_batches(example: Policy) -> None:
    truth_us = (0.0, 20_000.0, 24_000.0, 28_000.0, 32_000.0)
    marked = ServiceTimes(truth_us, reply=PerBatch(0.0, 1e9))
    loaded = {(CLS, ""): LoadedModel(CLS.model, CLS.variant, ModelState.READY, 1, 4, 0)}
    known: tuple[LearntTimes, ...] = ()
    for seed in range(8):
        arrive_us = poisson_us(70.0, 2000, seed)
        batches = (answered_us(marked, Batching(4), arrive_us) // 1e9).astype(int)
        executions = round(float((1 / batches).sum()))
        compute_us = round(float(np.asarray(truth_us)[batches].sum()))
        work = StageWork(float(arrive_us[-1]) / 1e6, 2000, 0, executions, 0, compute_us, 0)
        counters = Work(POOL, CLS.model, CLS.variant, Reading(work, NOW, "server"), Reading(None, None, "none"))
        seen = accompanied(windows(example, Snapshot(NOW, work=(counters,)), loaded, known, NOW), RUNNING[:1], NODES)
        known = learn(example, alone(seen, effects_of(example, ())), known)
    assert known[0].used_us == pytest.approx(truth_us[1:], rel=0.08)


def test_the_batcher_that_explains_counters_has_the_levels_and_turns_of_the_server(example: Policy) -> None:
    """Two instances that take turns batch as one does: were both taken to execute at once, the fit would not reach."""
    truth_us = (0.0, 20_000.0, 24_000.0, 28_000.0, 32_000.0)
    marked = ServiceTimes(truth_us, reply=PerBatch(0.0, 1e9))
    levels = (QueueLevel(limit=12), QueueLevel())
    batching = Batching(4, speeds=(1.0, 1.0), levels=levels, at_once=1)
    arrive_us = poisson_us(90.0, 8000, 3)
    answers_us = answered_us(marked, batching, arrive_us)
    batches = (answers_us[~np.isnan(answers_us)] // 1e9).astype(int)
    compute_us = round(float(np.asarray(truth_us)[batches].sum()))
    executions = round(float((1 / batches).sum()))
    work = StageWork(float(arrive_us[-1]) / 1e6, batches.size, 0, executions, 0, compute_us, 0)
    counters = Work(POOL, CLS.model, CLS.variant, Reading(work, NOW, "server"), Reading(None, None, "none"))
    snapshot = Snapshot(NOW, work=(counters,))

    def learnt_us(loaded: LoadedModel) -> np.ndarray:
        seen = accompanied(windows(example, snapshot, {(CLS, ""): loaded}, (), NOW), RUNNING[:1], NODES)
        (times,) = alone(seen, effects_of(example, ())).values()
        return np.array([item.total_us / item.executions for item in times])

    told = LoadedModel(CLS.model, CLS.variant, ModelState.READY, 2, 4, 0, levels, at_once=1)
    assert learnt_us(told) == pytest.approx(truth_us[1:], rel=0.05)
    assert learnt_us(replace(told, levels=(), at_once=0)) != pytest.approx(truth_us[1:], rel=0.05)


def test_the_company_of_a_variant_is_what_is_busy_on_its_own_node() -> None:
    """One node computes two models, the other one alone; the busy neighbour of one is no neighbour of the other."""
    other = "edge-paris-1"
    running = (*RUNNING, Running(CLS, other, 1))
    nodes = (Node(NODE, POOL, own_server=True), Node(other, POOL, own_server=True))
    seen = accompanied(
        tuple(
            Window(placement, "edge-module", WINDOW_S, (BatchTime(1, 20, round(20 * each_us)),), node)
            for placement, each_us, node in ((CLS, 25_000, NODE), (DET, 250_000, NODE), (CLS, 25_000, other))
        ),
        running,
        nodes,
    )
    assert [(window.node, beside) for window, beside in seen if window.placement == CLS] == [
        (NODE, {(DET.model, DET.variant): pytest.approx(0.5)}),
        (other, {}),
    ]
