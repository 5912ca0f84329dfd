"""The same batcher where it is simplest: no queue delay, no preferred size but the largest, no limit on the queue.

A payload then always holds all that waits, up to the largest batch, when an instance comes for it: a free instance
takes the oldest. Nothing needs to be followed between two executions, which makes this much faster.
"""

import numpy as np

from controller.compiled import compiled
from controller.performance.batcher import Counts, Floats, first_free


@compiled
def serve_greedily(
    arrive_us: Floats, batch_us: Floats, scale: Floats, speeds: Floats, gap_us: Floats
) -> tuple[Floats, Counts]:
    """As `batcher.serve` for open arrivals."""
    requests, largest = arrive_us.size, batch_us.size - 1
    latency_us = np.empty(requests)
    batches = np.empty(requests, np.int64)
    free_us = np.zeros(speeds.size)
    taken, scaled = 0, 0
    while taken < requests:
        instance = first_free(free_us)
        size = 1
        start_us = arrive_us[taken]
        if free_us[instance] > start_us:
            start_us = free_us[instance]
            while size < largest and taken + size < requests and arrive_us[taken + size] <= start_us:
                size += 1
        end_us = start_us + batch_us[size] * scale[scaled] * speeds[instance]
        scaled = scaled + 1 if scaled + 1 < scale.size else 0
        free_us[instance] = end_us + gap_us[size]
        for request in range(taken, taken + size):
            latency_us[request] = end_us - arrive_us[request]
            batches[request] = size
        taken += size
    return latency_us, batches
