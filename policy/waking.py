"""When a service that may scale to zero falls asleep, and what it has of its wake-up for loading."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from policy.resolved import ScaleToZero, ScalingPolicy, Service

SECOND_US: Final = 1_000_000
NOTICE_US: Final = 1_000_000
"""Seeing on the real parts that a wave of a transition is done, whatever is in it, in us."""
TURN_US: Final = 1_000_000
"""Reading the fleet and deciding, in us."""
WAVES: Final = 2
"""What has to load is loaded in one, and requests are routed to it in the next."""


def time_to_load_us(clause: ScaleToZero, scaling: ScalingPolicy) -> int:
    """What instances have of `wakeUp` for loading; none, or less than that, where the rest takes it all.

    A request that comes just after a look at the gateways is seen at the next one, an interval later.
    """
    return clause.wake_up_us - scaling.interval_s * SECOND_US - TURN_US - WAVES * NOTICE_US


def silence_s(clause: ScaleToZero, scaling: ScalingPolicy) -> int:
    """How long nothing has come when a service falls asleep: as it says, and as long as capacity is kept anyway."""
    return max(clause.after_s, scaling.cooldown_s, scaling.stabilisation_s)


def loads_for_us(service: Service, taken: Iterable[tuple[str, int]]) -> int:
    """The longest that a pool loads for a path from nothing; `taken` are its options, by pool and time to load in us.

    Each option loads one instance, and those that the service has to spare, and a pool counts as one node, which loads
    one after the other. An option that several stages take counts once: give it once.
    """
    instances = 1 + (service.availability.spares if service.availability else 0)
    pools: Counter[str] = Counter()
    for pool, load_us in taken:
        pools[pool] += instances * load_us
    return max(pools.values())


def seconds(time_us: int) -> str:
    """A time as `1.5 s`."""
    return f"{time_us / SECOND_US:.10g} s"
