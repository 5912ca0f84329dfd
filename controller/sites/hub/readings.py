"""A site's report as the readings that collectors give: by the controller's clock, and of nothing but the site."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from datasketches import req_ints_sketch

from collectors.snapshot import (
    Arrivals,
    Batches,
    Inventory,
    Latency,
    LoadedModel,
    Offered,
    Quantiles,
    Reading,
    Server,
    ServerState,
    Snapshot,
    StageTimes,
    StageWork,
    Work,
)
from collectors.windows import ACCURACY_K, RANKS
from controller.fleet import RouteSet, Seat
from controller.sites.hub.heard import Heard
from controller.sites.report import Measure, Sketch
from controller.sites.site_plan import SiteLoad, SitePlan
from rules.kernel.problem import Placement

SOURCE: Final = "agent"
MOST_SKETCH_BYTES: Final = 65_536

Item = TypeVar("Item", bound=Any)
Placed = Server | Work | Batches | Inventory
Asked = Offered | Latency | Arrivals | RouteSet
Subject = tuple[Measure, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Own:
    """What a site has by the policy: nobody else's is believed to it."""

    site: str
    pools: frozenset[str]


def readings(heard: Heard, own: Own, plan: SitePlan | None, now: datetime) -> Snapshot:
    """What the site's servers, counters and gateways showed, as of when its report came."""
    seen = _from_here(heard)
    times = _times(each for _, each in heard.sketches)
    return Snapshot(
        now,
        servers=tuple(as_planned(item, plan) for item in seen.servers if item.pool in own.pools),
        offered=_of_origin(seen.offered, own.site),
        latency=_of_origin((*seen.latency, *_latency(times, heard.at)), own.site),
        work=tuple(item for item in (*seen.work, *_work(times, heard.at)) if item.pool in own.pools),
        batches=tuple(item for item in seen.batches if item.pool in own.pools),
        arrivals=_of_origin(seen.arrivals, own.site),
        inventory=tuple(item for item in seen.inventory if item.pool in own.pools),
    )


def strangers(heard: Heard, own: Own) -> frozenset[str]:
    """The pools and origins that a site tells of and does not have."""
    seen = heard.report.seen
    placed: tuple[Placed, ...] = (*seen.servers, *seen.work, *seen.batches, *seen.inventory)
    asked: tuple[Asked, ...] = (*seen.offered, *seen.latency, *seen.arrivals, *heard.report.routes)
    pools, origins = {item.pool for item in placed}, {item.origin for item in asked}
    return frozenset((pools - own.pools) | (origins - {own.site}))


def own_routes(heard: Heard, site: str) -> tuple[RouteSet, ...]:
    """What the gateways of a site follow."""
    return tuple(item for item in heard.report.routes if item.origin == site)


def away_permille(routes: Iterable[RouteSet], own: Collection[str]) -> tuple[tuple[str, int], ...]:
    """By service, the share of requests whose way leaves these pools."""
    return tuple(
        (item.service, sum(way.weight_permille for way in item.ways if any(p.pool not in own for p in way.placements)))
        for item in routes
    )


def as_planned(server: Server, plan: SitePlan | None) -> Server:
    """The server with as many instances as planned, where the site has others that its plan lets it choose.

    How many there are beside is the site's own choice, of which no plan is made, and which none undoes.
    """
    state = server.reading.value
    if state is None or plan is None:
        return server
    loads = {item.load.seat: item for item in plan.loads}
    models = tuple(_as_planned(model, server, loads) for model in state.models)
    return replace(server, reading=replace(server.reading, value=ServerState(models)))


def _as_planned(model: LoadedModel, server: Server, loads: dict[Seat, SiteLoad]) -> LoadedModel:
    item = loads.get((Placement(model.model, model.variant, server.pool), server.node))
    if item is None or item.envelope.bounded(model.instances) != model.instances:
        return model
    return replace(model, instances=item.load.instances)


def _from_here(heard: Heard) -> Snapshot:
    """What a report has seen, with the instants at which the controller's clock showed the same age."""
    ahead = heard.at - heard.report.at
    seen = heard.report.seen

    def here(reading: Reading[Item]) -> Reading[Item]:
        at = None if reading.at is None else min(heard.at, max(reading.at, heard.report.at - _OLDEST) + ahead)
        return Reading(reading.value, at, SOURCE)

    return replace(
        seen,
        servers=tuple(replace(item, reading=here(item.reading)) for item in seen.servers),
        offered=tuple(replace(item, reading=here(item.reading)) for item in seen.offered),
        latency=tuple(replace(item, reading=here(item.reading)) for item in seen.latency),
        work=tuple(replace(item, counters=here(item.counters), times=here(item.times)) for item in seen.work),
        batches=tuple(replace(item, reading=here(item.reading)) for item in seen.batches),
        arrivals=tuple(replace(item, reading=here(item.reading)) for item in seen.arrivals),
        inventory=tuple(replace(item, reading=here(item.reading)) for item in seen.inventory),
    )


_OLDEST: Final = timedelta(days=365)
"""No reading is taken for older: it is stale long before, and no instant comes before the first that there is."""


def _of_origin(items: Iterable[Item], site: str) -> tuple[Item, ...]:
    return tuple(item for item in items if item.origin == site)


def _times(sketches: Iterable[Sketch]) -> dict[Subject, Quantiles]:
    """The quantiles of all sketches of a subject together; what cannot be read is left out."""
    whole: defaultdict[Subject, tuple[req_ints_sketch, list[int]]] = defaultdict(
        lambda: (req_ints_sketch(k=ACCURACY_K, is_hra=True), [])
    )
    for each in sketches:
        sketch, counts = whole[each.measure, each.subject]
        if each.count > 0 and len(each.body) <= MOST_SKETCH_BYTES:
            try:
                sketch.merge(req_ints_sketch.deserialize(each.body))
            except (ValueError, RuntimeError, IndexError):
                continue
            counts.append(each.count)
    return {
        key: Quantiles(sum(counts), int(p50_us), int(p95_us), int(p99_us), sketch.n)
        for key, (sketch, counts) in whole.items()
        if counts and sketch.n
        for p50_us, p95_us, p99_us in [sketch.get_quantiles(list(RANKS), inclusive=True)]
    }


def _latency(times: dict[Subject, Quantiles], at: datetime) -> Iterator[Latency]:
    for (measure, subject), value in sorted(times.items(), key=_key):
        match measure, subject:
            case Measure.RUN, (service, origin):
                yield Latency(service, origin, Reading(value, at, SOURCE))


def _work(times: dict[Subject, Quantiles], at: datetime) -> Iterator[Work]:
    nothing: Reading[StageWork] = Reading(None, None, SOURCE)
    for (measure, subject), queue in sorted(times.items(), key=_key):
        compute = times.get((Measure.COMPUTE, subject))
        match measure, subject:
            case Measure.QUEUE, (pool, model, variant) if compute is not None:
                yield Work(pool, model, variant, nothing, Reading(StageTimes(queue, compute), at, SOURCE))


def _key(item: tuple[Subject, Quantiles]) -> Subject:
    return item[0]
