"""What is left to plan of requests from sites that are cut off.

Such a site goes on by the last plan that it has. What it serves by itself is no work for others, and its servers are no
help to them: so neither is planned. What its plan sends to other sites may still come to them, and they keep room.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from collectors.snapshot import Snapshot
from controller.fleet import RouteSet
from controller.planning.demand import Asked
from policy.resolved import WHOLE_PERMILLE
from rules.kernel.problem import Demand


def without_cut_off(asked: Asked, snapshot: Snapshot) -> Asked:
    """What is asked, of the sites that are cut off only what goes to others; nothing of them is told to sleep."""
    cut_off = {item.site: item for item in snapshot.cut_off}
    if not cut_off:
        return asked

    def left() -> Iterator[Demand]:
        for demand in asked.demands:
            away = cut_off[demand.origin].away_permille(demand.service) if demand.origin in cut_off else WHOLE_PERMILLE
            if away:
                yield replace(demand, rate_milli_rps=max(1, demand.rate_milli_rps * away // WHOLE_PERMILLE))

    asleep = tuple(demand for demand in asked.asleep if demand.origin not in cut_off)
    return replace(asked, demands=tuple(left()), asleep=asleep)


def without_own(routes: Iterable[RouteSet], snapshot: Snapshot) -> tuple[RouteSet, ...]:
    """The routes that are followed, but for those that are a cut-off site's own business."""
    cut_off = {item.site: item for item in snapshot.cut_off}
    return tuple(
        item for item in routes if item.origin not in cut_off or cut_off[item.origin].away_permille(item.service)
    )
