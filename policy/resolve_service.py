"""A Service document as the rest of Gridwright reads it."""

from policy.documents.service import DegradeSpec, ServiceSpec
from policy.resolved import (
    AccuracyObjective,
    AvailabilityObjective,
    DegradeStep,
    LatencyObjective,
    Orchestration,
    Origin,
    PoolsClause,
    Service,
    Shed,
    Stage,
    ThroughputObjective,
    TogetherClause,
    UseVariant,
    Within,
)
from policy.validate import Valid


def service(valid: Valid, spec: ServiceSpec) -> Service:
    """The service; each clause keeps the place of what asked for it."""
    return Service(
        name=valid.name,
        labels=valid.labels,
        data_classes=tuple(spec.data.classes),
        data_subjects=tuple(spec.data.subjects),
        orchestration=Orchestration(spec.orchestration),
        origins=tuple(Origin(o.site, o.share, valid.place("origins", i)) for i, o in enumerate(spec.origins)),
        stages=tuple(
            Stage(s.name, s.model, tuple(s.after), s.fanout, s.input, valid.place("stages", i))
            for i, s in enumerate(spec.stages)
        ),
        expected_rate_milli_rps=spec.demand.rate,
        latency=_latency(valid, spec),
        availability=_availability(valid, spec),
        accuracy=_accuracy(valid, spec),
        degrade=tuple(_step(valid, step, index) for index, step in enumerate(spec.degrade)),
        priority=spec.priority,
        place=valid.place(),
        pools=_pools(valid, spec),
        together=_together(valid, spec),
        throughput=_throughput(valid, spec),
    )


def _pools(valid: Valid, spec: ServiceSpec) -> tuple[PoolsClause, ...]:
    return tuple(
        PoolsClause(
            tuple(pools.sites),
            tuple(pools.pools),
            tuple(pools.devices),
            tuple(pools.stages),
            is_barred,
            valid.place("placement", index),
        )
        for index, item in enumerate(spec.placement)
        for pools, is_barred in ((item.among, False), (item.outside, True))
        if pools
    )


def _together(valid: Valid, spec: ServiceSpec) -> tuple[TogetherClause, ...]:
    return tuple(
        TogetherClause(tuple(item.together.stages), Within(item.together.at), valid.place("placement", index))
        for index, item in enumerate(spec.placement)
        if item.together
    )


def _latency(valid: Valid, spec: ServiceSpec) -> tuple[LatencyObjective, ...]:
    return tuple(
        LatencyObjective(
            item.latency.percentile,
            item.latency.below,
            item.latency.window,
            valid.source.key_place("spec", "objectives", index, "latency", "below"),
            item.latency.origin or "",
            item.latency.stage or "",
        )
        for index, item in enumerate(spec.objectives)
        if item.latency
    )


def _throughput(valid: Valid, spec: ServiceSpec) -> tuple[ThroughputObjective, ...]:
    return tuple(
        ThroughputObjective(
            item.throughput.rate, item.throughput.burst, item.throughput.origin or "", valid.place("objectives", index)
        )
        for index, item in enumerate(spec.objectives)
        if item.throughput
    )


def _availability(valid: Valid, spec: ServiceSpec) -> AvailabilityObjective | None:
    for index, item in enumerate(spec.objectives):
        if item.availability:
            place = valid.place("objectives", index)
            return AvailabilityObjective(item.availability.sites, item.availability.nodes, place)
    return None


def _accuracy(valid: Valid, spec: ServiceSpec) -> AccuracyObjective | None:
    for index, item in enumerate(spec.objectives):
        if item.accuracy:
            return AccuracyObjective(item.accuracy.floor, valid.place("objectives", index))
    return None


def _step(valid: Valid, step: DegradeSpec, index: int) -> DegradeStep:
    place = valid.place("degrade", index)
    if step.use:
        model, variant = next(iter(step.use.items()))
        return UseVariant(model, variant, place)
    return Shed(step.shed or 0, place)
