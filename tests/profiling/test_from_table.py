"""A profile from a table of somebody else's measurements."""

import pytest

from controller.performance.tables.measurement import Measurement, Setup
from controller.profiling.from_table import TableUseError, from_rows


def row(batch: int, mean_ms: float, *, concurrency: int = 1, engine: str = "", device: str = "t4") -> Measurement:
    setup = Setup("ResNet 50", engine, "FP16")
    return Measurement(2, setup, device, batch, concurrency, 1.0, mean_ms, None, None, None, None)


def test_times_are_those_of_the_least_concurrency_and_the_fastest_set_up() -> None:
    rows = [row(1, 5.0), row(1, 4.0, concurrency=4), row(8, 20.0), row(8, 18.0, engine="TensorRT")]
    (found,) = from_rows(rows, "t4", "fp16")
    assert (found.model, found.variant) == ("resnet-50", "fp16")
    assert found.service_us == ((1, 5_000.0), (8, 18_000.0))
    assert found.share_permille is None
    assert any("fastest of 2 set-ups" in note for note in found.notes)


def test_variants_are_named_by_precision_and_engine() -> None:
    rows = [row(1, 5.0), row(1, 3.0, engine="ONNX Runtime+TensorRT")]
    assert [item.variant for item in from_rows(rows, "t4")] == ["fp16", "fp16-onnx-runtime-tensorrt"]


def test_requests_that_waited_for_each_other_are_told() -> None:
    (found,) = from_rows([row(1, 5.0, concurrency=4)], "t4")
    assert any("up to 4 requests at once" in note for note in found.notes)


def test_a_table_without_batch_1_or_without_the_device_makes_no_profile() -> None:
    with pytest.raises(TableUseError, match="no row of batch 1"):
        from_rows([row(8, 20.0)], "t4")
    with pytest.raises(TableUseError, match="give one of t4"):
        from_rows([row(1, 5.0)], "a100")
