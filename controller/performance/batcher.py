"""Triton's dynamic batcher, event by event.

The batcher does not hold requests back until a batch is full. It keeps one *payload* that instances may already see and
that goes on growing until one of them takes it; it opens a new one only then, or when it is full. At most two payloads
an instance wait. A queue delay above zero lets a payload wait for more requests, but it also makes the batcher sleep
through arrivals, and stops a waiting payload from growing once an instance has found it older than the delay: under
load that makes batches smaller and latencies longer. The rules are those of triton-inference-server/core 24.10:
`dynamic_batch_scheduler.cc` (what moves into a payload, and when), `rate_limiter.cc` (how many wait) and
`instance_queue.cc` (what is merged when an instance takes one).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from controller.compiled import compiled, inlined

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEVER: Final = np.inf
PAYLOADS_AN_INSTANCE: Final = 2


@compiled
def serve(
    arrive_us: Floats,
    closed: bool,
    batch_us: Floats,
    scale: Floats,
    speeds: Floats,
    gap_us: Floats,
    preferred: Flags,
    delay_us: float,
) -> tuple[Floats, Counts]:
    """Time of each request in us from its arrival to the end of its execution; and its batch size.

    `arrive_us` is sorted. When `closed`, its finite entries are the first requests of as many clients, each of which
    sends the next one at the end of the last; the others are infinite. An execution of b requests takes
    `batch_us[b] * scale[k] * speeds[i]`, with `scale` used round and round and one entry of `speeds` for each instance,
    which takes the next payload `gap_us[b]` later. `preferred[b]` tells the preferred sizes; its last index is the
    largest batch.
    """
    arrive = arrive_us.copy()
    latency_us = np.full(arrive.size, np.nan)
    batches = np.zeros(arrive.size, np.int64)
    free_us = np.zeros(speeds.size)
    held = np.zeros(PAYLOADS_AN_INSTANCE * speeds.size + 1, np.int64)
    known = np.sum(np.isfinite(arrive))
    arrived, packed, taken, scaled, instance = 0, 0, 0, 0, 0
    front, queued, growing, wake_at, timer_us = 0, 0, False, 0, NEVER
    while True:
        next_us = min(timer_us, free_us[instance] if queued > 0 else NEVER)
        unheard = arrive.size if queued == held.size - 1 else min(packed + wake_at - 1, arrive.size)
        while arrived < unheard and arrive[arrived] < next_us:
            arrived += 1
        due_us = arrive[arrived] if arrived < arrive.size else NEVER
        now_us = min(due_us, next_us)
        if now_us == NEVER:
            return latency_us, batches
        woken = now_us == timer_us
        if now_us == due_us:
            arrived += 1
            woken |= queued < held.size - 1 and arrived - packed >= wake_at
        if woken:
            packed, queued, growing, wake_at, timer_us = fill(
                now_us, arrive, arrived, packed, held, front, queued, growing, wake_at, preferred, delay_us
            )
        while queued > 0 and free_us[instance] <= now_us:
            size, front, queued, grows = take(
                now_us, arrive, taken, held, front, queued, growing, preferred.size - 1, delay_us
            )
            end_us = now_us + batch_us[size] * scale[scaled] * speeds[instance]
            scaled = scaled + 1 if scaled + 1 < scale.size else 0
            free_us[instance] = end_us + gap_us[size]
            for request in range(taken, taken + size):
                latency_us[request] = end_us - arrive[request]
                batches[request] = size
                if closed and known < arrive.size:
                    send_again(arrive, arrived, known, end_us)
                    known += 1
            taken += size
            if growing and not grows:
                wake_at = 0
            packed, queued, growing, wake_at, timer_us = fill(
                now_us, arrive, arrived, packed, held, front, queued, grows, wake_at, preferred, delay_us
            )
            instance = first_free(free_us)


@inlined
def first_free(free_us: Floats) -> int:
    """The instance that has been, or will be, free first."""
    first = 0
    for instance in range(1, free_us.size):
        if free_us[instance] < free_us[first]:
            first = instance
    return first


@inlined
def fill(
    now_us: float,
    arrive: Floats,
    arrived: int,
    packed: int,
    held: Counts,
    front: int,
    queued: int,
    growing: bool,
    wake_at: int,
    preferred: Flags,
    delay_us: float,
) -> tuple[int, int, bool, int, float]:
    """The batcher's thread until it sleeps: move what waits into payloads, while there is a slot for one.

    Of the requests that `arrived`, the first `packed` are in payloads. The `queued` ones of these that wait are in the
    ring `held` from `front`, by size; the last may still be `growing`. The batcher wakes when `wake_at` requests wait,
    or at an instant in us. These come back changed, and that instant.
    """
    while True:
        waiting = arrived - packed
        if waiting == 0 or queued >= held.size - 1:
            return packed, queued, growing, wake_at, NEVER
        expires_us = arrive[packed] + delay_us
        tail = front + queued - growing
        tail = tail if tail < held.size else tail - held.size
        size = held[tail] if growing else 0
        count, full, look_at = moves(waiting, size, delay_us > 0 and now_us >= expires_us, delay_us == 0, preferred)
        if look_at > 0:
            wake_at = look_at
        if count < 0:
            return packed, queued, growing, wake_at, expires_us
        if not growing:
            queued += 1
        held[tail] = size + count
        packed += count
        growing = not full
        if full:
            wake_at = 0


@inlined
def moves(waiting: int, size: int, expired: bool, eager: bool, preferred: Flags) -> tuple[int, bool, int]:
    """What goes into a payload of `size`: how many of those that wait, whether it is full then, and when to look again.

    -1 when the batcher sleeps until the oldest request has `expired`. It looks again when as many wait as the last
    value says, 0 for no news of that. `eager` is a queue delay of zero.
    """
    largest = preferred.size - 1
    top = largest
    while not preferred[top]:
        top -= 1
    count = min(waiting, largest - size)
    best, full = 0, False
    if size < top:
        best = min(count, top - size)
        while best > 0 and not preferred[size + best]:
            best -= 1
    elif size > 0 and count > 1:
        best, full = 1, True
    if best > 0 and not expired:
        return best, full or eager or size + best >= largest, 0
    if size + count >= top:
        return count, True, 0
    if expired or eager:
        return count, full, 0
    following = size + count + 1
    while not preferred[following]:
        following += 1
    if size > 0 and not preferred[size]:
        return count, False, following - size
    return -1, False, following - size


@inlined
def take(
    now_us: float,
    arrive: Floats,
    taken: int,
    held: Counts,
    front: int,
    queued: int,
    growing: bool,
    largest: int,
    delay_us: float,
) -> tuple[int, int, int, bool]:
    """An instance takes the first payload, and what it may merge into it: its size, and what `fill` has of the rest.

    With a queue delay it looks at the payloads behind it. One older than the delay stops growing, and comes along where
    there is room.
    """
    size = held[front]
    while True:
        front = front + 1 if front + 1 < held.size else 0
        queued -= 1
        growing = growing and queued > 0
        if delay_us == 0 or largest == 1 or queued == 0 or now_us <= arrive[taken + size] + delay_us:
            return size, front, queued, growing
        growing = growing and queued > 1
        if size + held[front] > largest:
            return size, front, queued, growing
        size += held[front]


@compiled
def send_again(arrive: Floats, arrived: int, known: int, at_us: float) -> None:
    """A client sends its next request: it takes its place among those to come."""
    place = known
    while place > arrived and arrive[place - 1] > at_us:
        arrive[place] = arrive[place - 1]
        place -= 1
    arrive[place] = at_us
