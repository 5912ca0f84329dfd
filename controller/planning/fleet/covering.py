"""What instances of one model serve together, without routing a single request.

With instances that reach sets of demands, a subset T of them can be served in full when the instances that reach any
of T can answer as much as T asks for (Gale 1957; Hall's condition for splittable flows). What must stay unserved of a
set is therefore the largest gap of its subsets,

    gap(T) = asked(T) - offered(T)        worst(S) = max over T within S of gap(T), at least 0

and because these are submodular, serving the dearest demand first, then the next, is optimal (Edmonds 1970): with the
demands in order of worth, what stays unserved of the k-th is worst(first k) - worst(first k - 1). One more instance of
c urps that reaches R lowers the gaps of all T that touch R by c, and those alone, so that

    worst'(S) = max(worst(S without R), worst(S) - c)

tells what it would serve by looking up two numbers. Subsets are numbers whose bits are demands.
"""

from controller.compiled import inlined
from controller.planning.fleet.packed import Floats, Ints


@inlined
def offer(gap: Ints, urps: int, reach: int) -> None:
    """Count one more instance, or one less with a negative `urps`."""
    for subset in range(gap.size):
        if subset & reach:
            gap[subset] -= urps


@inlined
def worsen(gap: Ints, worst: Ints) -> None:
    """Make `worst` of each set from the gaps of all sets; `gap` of no demands is 0."""
    worst[0] = 0
    for subset in range(1, gap.size):
        worst[subset] = gap[subset]
    bit = 1
    while bit < gap.size:
        for subset in range(gap.size):
            worst[subset] = max(worst[subset], worst[subset & ~bit])
        bit <<= 1


@inlined
def lessen(worst: Ints, urps: int, reach: int) -> None:
    """Make `worst` anew with one more instance."""
    for subset in range(worst.size - 1, 0, -1):
        worst[subset] = max(worst[subset & ~reach], worst[subset] - urps)


@inlined
def served(worst: Ints, urps: int, reach: int) -> int:
    """How many urps more would be served with one more instance."""
    last = worst.size - 1
    return int(min(urps, worst[last] - worst[last & ~reach]))


@inlined
def cost_missing(worst: Ints, worth: Floats) -> float:
    """What the unserved costs; `worth` has a number for each demand."""
    cost, before = 0.0, 0
    for demand in range(worth.size):
        short = worst[(2 << demand) - 1]
        cost += worth[demand] * (short - before)
        before = short
    return cost


@inlined
def cost_with(worst: Ints, worth: Floats, urps: int, reach: int) -> float:
    """What the unserved would cost with one more instance."""
    cost, before = 0.0, 0
    for demand in range(worth.size):
        first = (2 << demand) - 1
        short = max(worst[first & ~reach], worst[first] - urps)
        cost += worth[demand] * (short - before)
        before = short
    return cost


@inlined
def cost_without(gap: Ints, worth: Floats, urps: int, reach: int) -> float:
    """What the unserved would cost with one instance less."""
    short, cost, subset = 0, 0.0, 1
    for demand in range(worth.size):
        before = short
        for _ in range(1 << demand):
            wider = gap[subset] + urps if subset & reach else gap[subset]
            short = max(short, wider)
            subset += 1
        cost += worth[demand] * (short - before)
    return cost
