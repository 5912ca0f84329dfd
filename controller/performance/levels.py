"""The batcher of a model with a queue policy: levels of priority, limits, requests that have waited too long.

Triton 24.10 fills no payload ahead then (`PriorityQueue::SupportPrefetching`): requests wait in the queue, one for each
level, until an instance is free, and leave level by level, first come first served. One that has waited for its level's
timeout is refused, or put off behind the others of its level, when the batcher next looks at the queue
(`scheduler_utils.cc`); until then it keeps its place. A queue delay counts from the oldest request of those that would
leave, and a batcher that sleeps for it wakes at the first timeout among them.

That the batcher looks as soon as an instance is free is simpler than Triton 24.10, where it can sleep on until the next
request comes, or for half a second.
"""

from typing import Final

import numpy as np

from controller.compiled import compiled, inlined
from controller.performance.batcher import NEVER, Counts, Flags, Floats, first_free, moves

IN_TIME: Final = 0
PUT_OFF: Final = 1
NOBODY: Final = -1


@compiled
def serve_by_level(
    arrive_us: Floats,
    level: Counts,
    batch_us: Floats,
    scale: Floats,
    speeds: Floats,
    gap_us: Floats,
    preferred: Flags,
    delay_us: float,
    timeout_us: Floats,
    puts_off: Flags,
    limit: Counts,
) -> tuple[Floats, Counts]:
    """As `batcher.serve` for open arrivals, NaN for a request that was refused.

    `level[i]` is that of request i, 0 for the first. Each has its entry of `timeout_us`, infinite for none, of
    `puts_off`, whether that is what becomes of late requests, and of `limit`, how many may wait, 0 for any number.
    """
    latency_us = np.full(arrive_us.size, np.nan)
    batches = np.zeros(arrive_us.size, np.int64)
    free_us = np.zeros(speeds.size)
    ends = np.full((timeout_us.size, 2, 2), NOBODY)
    sizes = np.zeros((timeout_us.size, 2), np.int64)
    following = np.full(arrive_us.size, NOBODY)
    arrived, scaled, instance, wake_at, timer_us = 0, 0, 0, 0, NEVER
    while True:
        due_us = arrive_us[arrived] if arrived < arrive_us.size else NEVER
        free_at_us = free_us[instance] if sizes.sum() > 0 else NEVER
        look_us = timer_us if timer_us < NEVER else free_at_us
        now_us = min(due_us, look_us)
        if now_us == NEVER:
            return latency_us, batches
        woken = now_us == look_us
        if now_us == due_us:
            own = level[arrived]
            if limit[own] == 0 or sizes[own].sum() < limit[own]:
                append(arrived, own, IN_TIME, ends, sizes, following)
                woken |= free_us[instance] <= now_us and sizes.sum() >= wake_at
            arrived += 1
        if not woken:
            continue
        timer_us, wake_at = NEVER, 0
        while timer_us == NEVER and free_us[instance] <= now_us:
            seen, oldest_us, late_us = look(
                now_us, arrive_us, preferred.size - 1, timeout_us, puts_off, ends, sizes, following
            )
            if seen == 0:
                break
            ripe = delay_us > 0 and now_us >= oldest_us + delay_us
            size, _, wake_at = moves(seen, 0, ripe, delay_us == 0, preferred)
            if size < 0:
                timer_us = min(oldest_us + delay_us, late_us)
                break
            end_us = now_us + batch_us[size] * scale[scaled] * speeds[instance]
            scaled = scaled + 1 if scaled + 1 < scale.size else 0
            free_us[instance] = end_us + gap_us[size]
            for _ in range(size):
                request = leave(ends, sizes, following)
                latency_us[request] = end_us - arrive_us[request]
                batches[request] = size
            instance = first_free(free_us)


@inlined
def append(request: int, own: int, line: int, ends: Counts, sizes: Counts, following: Counts) -> None:
    """The request goes to the end of a line of its own level; `ends` has the first and the last of each line."""
    if sizes[own, line] == 0:
        ends[own, line, 0] = request
    else:
        following[ends[own, line, 1]] = request
    ends[own, line, 1] = request
    sizes[own, line] += 1


@inlined
def remove(own: int, line: int, ends: Counts, sizes: Counts, following: Counts) -> int:
    """The first of a line."""
    request = ends[own, line, 0]
    ends[own, line, 0] = following[request]
    sizes[own, line] -= 1
    return int(request)


@compiled
def leave(ends: Counts, sizes: Counts, following: Counts) -> int:
    """The next request to go into a batch: of the first level, those in time before those put off."""
    own, line = 0, IN_TIME
    while sizes[own, line] == 0:
        own, line = (own, PUT_OFF) if line == IN_TIME else (own + 1, IN_TIME)
    return remove(own, line, ends, sizes, following)


@compiled
def look(
    now_us: float,
    arrive_us: Floats,
    largest: int,
    timeout_us: Floats,
    puts_off: Flags,
    ends: Counts,
    sizes: Counts,
    following: Counts,
) -> tuple[int, float, float]:
    """What the batcher finds in the levels that make up a largest batch: how many requests, after refusals.

    Then when the oldest of them came, and when the next of them will have waited too long, in us.
    """
    seen, oldest_us, late_us = 0, NEVER, NEVER
    for own in range(timeout_us.size):
        if seen > largest:
            break
        while sizes[own, IN_TIME] > 0 and now_us >= arrive_us[ends[own, IN_TIME, 0]] + timeout_us[own]:
            request = remove(own, IN_TIME, ends, sizes, following)
            if puts_off[own]:
                append(request, own, PUT_OFF, ends, sizes, following)
        for line in (IN_TIME, PUT_OFF):
            if sizes[own, line] > 0 and seen < largest:
                oldest_us = min(oldest_us, arrive_us[ends[own, line, 0]])
                if line == IN_TIME:
                    late_us = min(late_us, arrive_us[ends[own, line, 0]] + timeout_us[own])
            seen += sizes[own, line]
    return seen, oldest_us, late_us
