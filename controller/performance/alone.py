"""What executions would take on a core of their own, from times that were counted while instances shared cores.

Sharing depends on how often instances compute at once, and that on how long they take: the factor on a known curve is
searched for at which the simulation of the load gives the times that were counted.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from typing import Final

from controller.performance.service_curve import BatchTime
from controller.performance.serving import Batching, Load, ServiceTimes, slowdown

NEAR: Final = 1.005
WIDEST: Final = 8.0
"""The factor is searched for between an eighth and this."""


def alone(counted: Sequence[BatchTime], service: ServiceTimes, batching: Batching, load: Load) -> ServiceTimes:
    """The service times whose simulation under `load` on `batching.cores` takes as long together as was counted.

    `service` gives the shape of the curve, and is the answer where nothing of its sizes was counted.
    """
    known = [item for item in counted if 0 < item.batch < len(service.batch_us)]
    base_us = sum(item.executions * service.batch_us[item.batch] for item in known)
    if base_us == 0:
        return service
    shared = sum(item.total_us for item in known) / base_us
    low, high = 1 / WIDEST, min(WIDEST, shared)
    while high > NEAR * low:
        factor = sqrt(low * high)
        too_long = factor * slowdown(_scaled(service, factor), batching, load) > shared
        low, high = (low, factor) if too_long else (factor, high)
    return _scaled(service, sqrt(low * high))


def _scaled(service: ServiceTimes, factor: float) -> ServiceTimes:
    return replace(service, batch_us=tuple(factor * time_us for time_us in service.batch_us))
