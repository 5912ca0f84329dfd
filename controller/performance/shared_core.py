"""Instances that share cores: the more of them compute, the slower each gets on.

Processor sharing (Kleinrock, Queueing Systems II, 4.4) of `cores` by the executions of all instances; the batcher and
its queue are Triton's, as in `batcher`. It holds for models that compute on the CPU of a node, and roughly for
instances on one GPU without partitions. With as many cores as instances it gives what `batcher.serve` gives.
"""

from typing import Any, Final

import numpy as np

from controller.compiled import compiled
from controller.performance.batcher import (
    NEVER,
    PAYLOADS_AN_INSTANCE,
    Counts,
    Flags,
    Floats,
    fill,
    take,
)

INSTANCE: Final = np.dtype(
    [
        ("size", np.int64),  # requests that it computes, 0 while it waits
        ("first", np.int64),  # the first of them, in the order of arrival
        ("left_us", np.float64),  # what is still to be done of them, on a core of its own
        ("free_us", np.float64),  # since when it waits
    ]
)


@compiled
def serve_shared(
    arrive_us: Floats,
    work_us: Floats,
    scale: Floats,
    instances: int,
    cores: float,
    gap_us: Floats,
    preferred: Flags,
    delay_us: float,
) -> tuple[Floats, Counts, float]:
    """As `batcher.serve` for open arrivals; the third value is how many times longer executions took than alone.

    `work_us[b]` is what an execution of b requests takes on a core of its own; `cores` need not be whole.
    """
    latency_us = np.full(arrive_us.size, np.nan)
    batches = np.zeros(arrive_us.size, np.int64)
    held = np.zeros(PAYLOADS_AN_INSTANCE * instances + 1, np.int64)
    group = np.zeros(instances, INSTANCE)
    arrived, packed, taken, scaled = 0, 0, 0, 0
    front, queued, growing, wake_at, timer_us = 0, 0, False, 0, NEVER
    passed_us, taken_us, alone_us = 0.0, 0.0, 0.0
    while True:
        ending, running = _first_to_end(group)
        speed = min(1.0, cores / running) if running else 1.0
        ends_us = passed_us + group[ending].left_us / speed if running else NEVER
        due_us = arrive_us[arrived] if arrived < arrive_us.size else NEVER
        now_us = min(due_us, timer_us, ends_us)
        waits = _longest_waiting(group)
        if queued > 0 and waits >= 0:
            now_us = min(now_us, max(passed_us, group[waits].free_us))
        if now_us == NEVER:
            return latency_us, batches, taken_us / alone_us if alone_us else 1.0
        for i in range(instances):
            group[i].left_us -= (now_us - passed_us) * speed
        taken_us += (now_us - passed_us) * running
        passed_us = now_us
        if now_us == ends_us:
            size = group[ending].size
            for request in range(group[ending].first, group[ending].first + size):
                latency_us[request] = now_us - arrive_us[request]
                batches[request] = size
            group[ending].size = 0
            group[ending].free_us = now_us + gap_us[size]
        woken = now_us == timer_us
        if now_us == due_us:
            arrived += 1
            woken |= queued < held.size - 1 and arrived - packed >= wake_at
        if woken:
            packed, queued, growing, wake_at, timer_us = fill(
                now_us, arrive_us, arrived, packed, held, front, queued, growing, wake_at, preferred, delay_us
            )
        waits = _longest_waiting(group)
        while queued > 0 and waits >= 0 and group[waits].free_us <= now_us:
            size, front, queued, grows = take(
                now_us, arrive_us, taken, held, front, queued, growing, preferred.size - 1, delay_us
            )
            group[waits].size = size
            group[waits].first = taken
            group[waits].left_us = work_us[size] * scale[scaled]
            alone_us += group[waits].left_us
            scaled = scaled + 1 if scaled + 1 < scale.size else 0
            taken += size
            wake_at = 0 if growing and not grows else wake_at
            packed, queued, growing, wake_at, timer_us = fill(
                now_us, arrive_us, arrived, packed, held, front, queued, grows, wake_at, preferred, delay_us
            )
            waits = _longest_waiting(group)


@compiled
def _first_to_end(group: Any) -> tuple[int, int]:
    """Of the instances that compute, the one with the least left to do; and how many there are."""
    first, running = 0, 0
    for i in range(group.size):
        if group[i].size > 0:
            if running == 0 or group[i].left_us < group[first].left_us:
                first = i
            running += 1
    return first, running


@compiled
def _longest_waiting(group: Any) -> int:
    """The instance that has waited longest, -1 when all compute."""
    longest = -1
    for i in range(group.size):
        if group[i].size == 0 and (longest < 0 or group[i].free_us < group[longest].free_us):
            longest = i
    return longest
