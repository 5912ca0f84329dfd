"""Triton's batch statistics, as both of its protocols tell them."""

from collectors.snapshot import BatchTime
from controller.profiling.counted import added, batch_times

BY_HTTP = {
    "batch_stats": [
        {
            "batch_size": 2,
            "compute_input": {"count": 3, "ns": 30_000},
            "compute_infer": {"count": 3, "ns": 15_000_000},
            "compute_output": {"count": 3, "ns": 0},
        }
    ]
}
BY_GRPC = {
    "batch_stats": [
        {
            "batch_size": "2",
            "compute_input": {"count": "3", "ns": "30000"},
            "compute_infer": {"count": "3", "ns": "15000000"},
            "compute_output": {"count": "3"},
        }
    ]
}


def test_both_protocols_tell_the_same() -> None:
    assert batch_times(BY_HTTP) == batch_times(BY_GRPC) == (BatchTime(2, 3, 15_030.0),)


def test_a_model_that_executed_nothing_has_no_times() -> None:
    assert batch_times({"name": "toy"}) == ()


def test_sizes_that_did_not_run_in_between_are_left_out() -> None:
    before = (BatchTime(1, 5, 50.0), BatchTime(2, 3, 60.0))
    after = (BatchTime(1, 5, 50.0), BatchTime(2, 4, 85.0), BatchTime(4, 1, 40.0))
    assert added(before, after) == (BatchTime(2, 1, 25.0), BatchTime(4, 1, 40.0))
