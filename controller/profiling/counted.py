"""What Triton's statistics count of executions by batch size; the same by HTTP and by gRPC."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from collectors.snapshot import BatchTime

PARTS: Final = ("compute_input", "compute_infer", "compute_output")
"""What an execution consists of: copying in, computing, copying out."""


def batch_times(model_statistics: Mapping[str, Any]) -> tuple[BatchTime, ...]:
    """The executions of each size, from one entry of `model_stats`. gRPC leaves zeros out and writes texts."""
    return tuple(
        BatchTime(
            int(size["batch_size"]),
            int(size["compute_infer"].get("count", 0)),
            sum(int(size.get(part, {}).get("ns", 0)) for part in PARTS) // 1000,
        )
        for size in model_statistics.get("batch_stats", ())
    )


def added(before: Sequence[BatchTime], after: Sequence[BatchTime]) -> tuple[BatchTime, ...]:
    """What was executed between two looks, sizes that were not left out."""
    known = {item.batch: item for item in before}
    nothing = BatchTime(0, 0, 0)
    differences = (
        BatchTime(
            item.batch,
            item.executions - known.get(item.batch, nothing).executions,
            item.total_us - known.get(item.batch, nothing).total_us,
        )
        for item in after
    )
    return tuple(item for item in differences if item.executions > 0)
