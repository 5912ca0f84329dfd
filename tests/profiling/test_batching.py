"""How a model on a Triton is set, by its configuration as gRPC tells it: numbers of 64 bits are text there."""

from typing import Any, cast

import pytest
from tritonclient.grpc.aio import InferenceServerClient

from collectors.snapshot import QueueLevel
from controller.performance.serving import Batching
from controller.profiling.described import Described
from controller.profiling.triton import TritonModel

LIMITED = {"count": 2, "rate_limiter": {"resources": [{"name": "R", "count": 1}]}}
QUEUE = {
    "preferred_batch_size": [2, 4],
    "max_queue_delay_microseconds": "300",
    "priority_levels": "2",
    "default_priority_level": "2",
    "default_queue_policy": {"timeout_action": "DELAY", "default_timeout_microseconds": "5000"},
    "priority_queue_policy": {"1": {"max_queue_size": 7}},
}


@pytest.mark.parametrize(
    ("config", "batching"),
    [
        ({}, Batching()),
        ({"max_batch_size": 4, "instance_group": [{"count": 2}]}, Batching(speeds=(1.0, 1.0))),
        ({"max_batch_size": 4, "dynamic_batching": {}}, Batching(4)),
        ({"instance_group": [{"count": 1, "gpus": [0, 1]}, {"count": 1}]}, Batching(speeds=(1.0,) * 3)),
        (
            {"max_batch_size": 8, "instance_group": [LIMITED], "dynamic_batching": QUEUE},
            Batching(
                8,
                300.0,
                (2, 4),
                speeds=(1.0, 1.0),
                levels=(QueueLevel(limit=7), QueueLevel(5000, puts_off=True)),
                level=2,
                at_once=1,
            ),
        ),
    ],
)
def test_a_configuration_is_read_whole(config: dict[str, Any], batching: Batching) -> None:
    described = Described("toy", (), config)
    assert TritonModel(cast("InferenceServerClient", None), described, {}).batching == batching
