"""What a core has left for executions beside the handling of requests."""

from collections.abc import Sequence

from collectors.snapshot import BatchTime


def handling_us(counted: Sequence[BatchTime], rate_rps: float, busy: float) -> float:
    """The core's time in us that handling one request takes: what it did beside the executions of one instance.

    `busy` is the part of the core that was in use at this rate, executions included. Of several instances that share a
    core the counted times are longer than what they take of it, so that this must be learnt with one.

    Raises ValueError when nothing was counted.
    """
    requests = sum(item.batch * item.executions for item in counted)
    if not requests:
        raise ValueError("no execution was counted: measure first")
    computing = rate_rps * sum(item.total_us for item in counted) / requests / 1e6
    return max(0.0, busy - computing) * 1e6 / rate_rps
