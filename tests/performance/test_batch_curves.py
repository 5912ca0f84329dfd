"""Latencies between measured batch sizes, and what other sweeps teach about the corner."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import A100, T4, measured, sweep_over_batch

from controller.performance.tables.batch import BatchCurve, Corners, execution
from controller.performance.tables.measurement import Sweep

SIZES = [1, 2, 4, 8, 16, 32, 64]
MIDDLE = np.array(SIZES[1:-1], dtype=float)


def cornered(fixed_ms: float, slope_ms: float, sharpness: float) -> list[float]:
    return [(fixed_ms**sharpness + (slope_ms * b) ** sharpness) ** (1 / sharpness) for b in SIZES]


def complete(sharpness: float, **stated: str) -> Sweep:
    latencies = dict(zip(SIZES, cornered(5.0, 0.5, sharpness), strict=True))
    return sweep_over_batch(latencies.__getitem__, SIZES, **stated)


def test_without_lessons_the_middle_is_on_a_straight_line() -> None:
    ends = (measured(3.0, batch=1), measured(10.0, batch=8))
    assert Corners(()).curve(ends).mean_ms(np.array([1.0, 2.0, 4.0, 8.0])) == pytest.approx([3, 4, 6, 10])


@given(fixed_ms=st.floats(0.5, 50.0), slope_ms=st.floats(0.05, 5.0), sharpness=st.floats(0.7, 3.0))
def test_the_curve_is_exact_where_its_own_law_holds(fixed_ms: float, slope_ms: float, sharpness: float) -> None:
    truth = np.array(cornered(fixed_ms, slope_ms, sharpness))
    curve = BatchCurve(np.array([1.0, 64.0]), truth[[0, -1]], truth[[0, -1]], sharpness)
    assert curve.mean_ms(MIDDLE) == pytest.approx(truth[1:-1], rel=1e-6)


@given(st.lists(st.floats(0.5, 100.0), min_size=2, max_size=7), st.floats(0.7, 3.0))
def test_a_curve_passes_through_its_points_and_never_beneath_the_last(latencies: list[float], sharpness: float) -> None:
    known = np.array(SIZES[: len(latencies)], dtype=float)
    curve = BatchCurve(known, np.array(latencies), np.array(latencies), sharpness)
    assert curve.mean_ms(known) == pytest.approx(latencies, rel=1e-6)
    assert curve.mean_ms(np.array([128.0]))[0] >= latencies[-1] * (1 - 1e-9)


def test_the_corner_is_that_of_the_same_device_and_execution() -> None:
    corners = Corners.learned([complete(c, device=d) for c, d in ((2.5, A100), (0.8, T4)) for _ in range(3)])
    for device, sharpness in ((A100, 2.5), (T4, 0.8)):
        sweep = complete(sharpness, model="other", device=device)
        predicted = corners.curve((sweep[0], sweep[-1])).mean_ms(MIDDLE)
        assert predicted == pytest.approx([row.mean_ms for row in sweep[1:-1]], rel=0.1)
        straight = Corners(()).curve((sweep[0], sweep[-1])).mean_ms(MIDDLE)
        assert np.abs(straight / predicted - 1).max() > 0.05


def test_where_nothing_is_alike_all_lessons_count() -> None:
    corners = Corners.learned([complete(1.6, device=A100), complete(1.6, device=T4)])
    sweep = complete(1.6, device="NVIDIA A40")
    predicted = corners.curve((sweep[0], sweep[-1])).mean_ms(MIDDLE)
    assert predicted == pytest.approx([row.mean_ms for row in sweep[1:-1]], rel=0.02)


def test_the_ratio_of_the_p99_goes_from_one_end_to_the_other() -> None:
    ends = (measured(10.0, tail_ms=40.0, batch=1), measured(10.0, tail_ms=10.0, batch=16))
    assert Corners(()).curve(ends).p99_ms(np.array([1.0, 4.0, 16.0])) == pytest.approx([40, 20, 10])


@pytest.mark.parametrize(
    ("engine", "executed"),
    [("TorchScript, Trace+CUDA", "eager"), ("ONNX Runtime+NVIDIA TensorRT", "compiled"), ("ONNX Runtime", "other")],
)
def test_engines_are_told_apart_by_how_they_execute(engine: str, executed: str) -> None:
    assert execution(engine) == executed
