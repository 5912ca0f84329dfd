"""Triton's dynamic batcher, event by event.

The batcher does not hold requests back until a batch is full. It keeps one *payload* that instances may already see and
that goes on growing until one of them takes it; it opens a new one only then, or when it is full. At most two payloads
an instance wait. A queue delay above zero lets a payload wait for more requests, but it also makes the batcher sleep
through arrivals, and stops a waiting payload from growing once an instance has found it older than the delay: under
load that makes batches smaller and latencies longer. The rules are those of triton-inference-server/core 24.10:
`dynamic_batch_scheduler.cc` (what moves into a payload, and when), `rate_limiter.cc` (how many wait) and
`instance_queue.cc` (what is merged when an instance takes one).
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from controller.compiled import compiled

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEVER: Final = np.inf
PAYLOADS_AN_INSTANCE: Final = 2

STATE: Final = np.dtype(
    [
        ("arrived", np.int64),  # requests that came, refused ones included
        ("known", np.int64),  # requests whose arrival is known already
        ("accepted", np.int64),
        ("packed", np.int64),  # of the accepted, how many went into payloads
        ("taken", np.int64),  # of those, how many an instance took
        ("front", np.int64),  # the first waiting payload's place in the ring
        ("queued", np.int64),  # waiting payloads
        ("growing", np.bool_),  # the last waiting payload may still grow
        ("open", np.bool_),  # a payload is open that nothing went into yet
        ("wake_at", np.int64),  # how many waiting requests wake the batcher
        ("timer_us", np.float64),  # when it wakes by itself
        ("scaled", np.int64),  # the entry of `scale` that the next execution has
    ]
)


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
    queue_limit: int,
) -> tuple[Floats, Counts]:
    """Time of each request in us from its arrival to the end of its execution, NaN where refused; and its batch size.

    `arrive_us` is sorted. When `closed`, its finite entries are the first requests of as many clients, each of which
    sends the next one at the end of the last; the others are infinite. An execution of b requests takes
    `batch_us[b] * scale[k] * speeds[i]`, with `scale` used round and round and one entry of `speeds` for each instance,
    which takes the next payload `gap_us[b]` later. `preferred[b]` tells the preferred sizes; its last index is the
    largest batch. At most `queue_limit` requests wait outside payloads, 0 for any number.
    """
    arrive = arrive_us.copy()
    latency_us = np.full(arrive.size, np.nan)
    batches = np.zeros(arrive.size, np.int64)
    order = np.zeros(arrive.size, np.int64)
    free_us = np.zeros(speeds.size)
    held = np.zeros(PAYLOADS_AN_INSTANCE * speeds.size + 1, np.int64)
    s = np.zeros(1, STATE)[0]
    s.timer_us = NEVER
    s.known = np.sum(np.isfinite(arrive))
    while True:
        now_us = min(arrive[s.arrived] if s.arrived < arrive.size else NEVER, s.timer_us)
        if s.queued > 0:
            now_us = min(now_us, free_us[first_free(free_us)])
        if now_us == NEVER:
            return latency_us, batches
        woken = now_us == s.timer_us
        if s.arrived < arrive.size and now_us == arrive[s.arrived]:
            woken |= join(s, order, queue_limit, held.size - 1)
        if woken:
            fill(s, now_us, arrive, order, held, preferred, delay_us)
        instance = first_free(free_us)
        while s.queued > 0 and free_us[instance] <= now_us:
            size = take(s, now_us, arrive, order, held, preferred.size - 1, delay_us)
            end_us = now_us + batch_us[size] * scale[s.scaled] * speeds[instance]
            s.scaled = s.scaled + 1 if s.scaled + 1 < scale.size else 0
            free_us[instance] = end_us + gap_us[size]
            for place in range(s.taken, s.taken + size):
                request = order[place]
                latency_us[request] = end_us - arrive[request]
                batches[request] = size
                if closed and s.known < arrive.size:
                    send_again(s, arrive, end_us)
            s.taken += size
            fill(s, now_us, arrive, order, held, preferred, delay_us)
            instance = first_free(free_us)


@compiled
def first_free(free_us: Floats) -> int:
    """The instance that has been, or will be, free first."""
    first = 0
    for instance in range(1, free_us.size):
        if free_us[instance] < free_us[first]:
            first = instance
    return first


@compiled
def join(s: Any, order: Counts, queue_limit: int, slots: int) -> bool:
    """One request joins those that wait, if it may; whether that wakes the batcher."""
    waiting = s.accepted - s.packed
    s.arrived += 1
    if queue_limit > 0 and waiting >= queue_limit:
        return False
    order[s.accepted] = s.arrived - 1
    s.accepted += 1
    return bool(s.queued < slots and (not (s.growing or s.open) or waiting + 1 >= s.wake_at))


@compiled
def fill(s: Any, now_us: float, arrive: Floats, order: Counts, held: Counts, preferred: Flags, delay_us: float) -> None:
    """The batcher's thread until it sleeps: move what waits into payloads, while there is a slot for one."""
    s.timer_us = NEVER
    while True:
        if not (s.growing or s.open):
            s.open = True
            s.wake_at = 0
        waiting = s.accepted - s.packed
        if waiting == 0 or s.queued >= held.size - 1:
            return
        expires_us = arrive[order[s.packed]] + delay_us
        tail = s.front + s.queued - s.growing
        tail = tail if tail < held.size else tail - held.size
        size = held[tail] if s.growing else 0
        count, full, wake_at = moves(waiting, size, delay_us > 0 and now_us >= expires_us, delay_us == 0, preferred)
        if wake_at > 0:
            s.wake_at = wake_at
        if count < 0:
            s.timer_us = expires_us
            return
        if count > 0 and not s.growing:
            held[tail] = 0
            s.queued += 1
            s.growing = True
        held[tail] += count
        s.packed += count
        s.open = False
        if full:
            s.growing = False


@compiled
def moves(waiting: int, size: int, expired: bool, eager: bool, preferred: Flags) -> tuple[int, bool, int]:
    """What goes into a payload of `size`: how many of those that wait, whether it is full then, and when to look again.

    -1 when the batcher sleeps until the oldest request has `expired`. It looks again when as many wait as the last
    value says, 0 for no news of that. `eager` is a queue delay of zero.
    """
    largest = preferred.size - 1
    top = largest
    while not preferred[top]:
        top -= 1
    best, full, count = 0, False, 0
    while count < waiting and size + count < largest:
        if size + count >= top and size + count > 0 and best == 0:
            best, full = count, True
        count += 1
        if preferred[size + count]:
            best = count
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


@compiled
def take(s: Any, now_us: float, arrive: Floats, order: Counts, held: Counts, largest: int, delay_us: float) -> int:
    """An instance takes the first payload, and what it may merge into it; the number of requests in it.

    With a queue delay it looks at the payloads behind it. One older than the delay stops growing, and comes along where
    there is room.
    """
    size = held[s.front]
    while True:
        s.front = s.front + 1 if s.front + 1 < held.size else 0
        s.queued -= 1
        if s.queued == 0:
            s.growing = False
        if delay_us == 0 or largest == 1 or s.queued == 0 or now_us <= arrive[order[s.taken + size]] + delay_us:
            return int(size)
        if s.queued == 1:
            s.growing = False
        if size + held[s.front] > largest:
            return int(size)
        size += held[s.front]


@compiled
def send_again(s: Any, arrive: Floats, at_us: float) -> None:
    """A client sends its next request: it takes its place among those to come."""
    place = s.known
    while place > s.arrived and arrive[place - 1] > at_us:
        arrive[place] = arrive[place - 1]
        place -= 1
    arrive[place] = at_us
    s.known += 1
