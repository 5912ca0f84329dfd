"""What instances of one model serve together, without routing a single request.

With instances that reach sets of demands, a subset T of them can be served in full when the instances that reach any
of T can answer as much as T asks for (Gale 1957; Hall's condition for splittable flows). What must stay unserved of a
set is therefore the largest shortfall of its subsets, and because shortfalls are submodular, serving the dearest demand
first, then the next, is optimal (Edmonds 1970): with the demands in order of worth,

    short(k) = max over T within the first k demands of (asked(T) - offered(T)), at least 0
    unserved of the k-th demand = short(k) - short(k - 1)

Subsets are numbers whose bits are demands, so those within the first k that hold the k-th are 2^(k-1) to 2^k - 1.
"""

from controller.compiled import compiled
from controller.planning.fleet.packed import Floats, Ints


@compiled
def missing(asked: Ints, offered: Ints, worth: Floats, urps: int, reach: int) -> tuple[int, float]:
    """The urps that stay unserved and what they cost, with `urps` more from an instance that reaches `reach`.

    `asked` and `offered` have a number for each subset, `worth` one for each demand. A negative `urps` takes away.
    """
    short, cost, subset = 0, 0.0, 1
    for demand in range(worth.size):
        before = short
        for _ in range(1 << demand):
            gap = asked[subset] - offered[subset]
            if subset & reach:
                gap -= urps
            short = max(short, gap)
            subset += 1
        cost += worth[demand] * (short - before)
    return short, cost


@compiled
def offer(offered: Ints, urps: int, reach: int) -> None:
    """Count one more instance, or one less with a negative `urps`."""
    for subset in range(1, offered.size):
        if subset & reach:
            offered[subset] += urps
