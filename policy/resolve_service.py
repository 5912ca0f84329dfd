"""A Service document as the rest of Gridwright reads it."""

from collections.abc import Sequence

from policy.clauses import Scope
from policy.data_flow import Reads, data
from policy.documents.service import (
    AvailabilitySpec,
    DegradeSpec,
    LatencySpec,
    ObjectiveSpec,
    RemovalSpec,
    ScaleToZeroSpec,
    ServiceSpec,
)
from policy.documents.tier import DefaultObjectiveSpec, DefaultsSpec
from policy.findings import Place
from policy.resolve_clauses import own
from policy.resolve_encodings import encodings
from policy.resolved import (
    AccuracyObjective,
    AvailabilityObjective,
    CostObjective,
    DegradeStep,
    LatencyObjective,
    NeverPreempts,
    Orchestration,
    Origin,
    PoolsClause,
    Prefer,
    Removal,
    ScaleToZero,
    Service,
    Shed,
    Stage,
    ThroughputObjective,
    TogetherClause,
    UseVariant,
    Within,
)
from policy.tiers import Preferences, Priority
from policy.validate import Valid


def service(valid: Valid, spec: ServiceSpec) -> Service:
    """The service for itself, without what tiers above say; each clause keeps the place of what asked for it."""
    said = preferences(valid, spec)
    return Service(
        name=valid.name,
        labels=valid.labels,
        data_classes=tuple(spec.data.classes),
        data_subjects=tuple(spec.data.subjects),
        orchestration=Orchestration(spec.orchestration),
        origins=tuple(Origin(o.site, o.share, valid.place("origins", i)) for i, o in enumerate(spec.origins)),
        stages=tuple(
            Stage(
                s.name,
                s.model,
                tuple(s.after),
                s.fanout,
                s.input,
                valid.place("stages", i),
                Reads(s.reads),
                data(s.adds.classes, s.adds.subjects),
                _removal(s.removes, valid.place("stages", i, "removes")),
                encodings(valid, s, i),
                Prefer(s.prefer),
            )
            for i, s in enumerate(spec.stages)
        ),
        expected_rate_milli_rps=spec.demand.rate,
        latency=said.latency,
        availability=said.availability,
        accuracy=said.accuracy,
        degrade=said.degrade or (),
        priority=spec.priority,
        place=valid.place(),
        pools=_pools(valid, spec),
        together=_together(valid, spec),
        throughput=_throughput(valid, spec),
        cost=_cost(valid, spec),
        team=spec.team or "",
        compliance=own(valid, spec.compliance, Scope(services=(valid.name,))),
        preemption=NeverPreempts(valid.place("preemption")) if spec.preemption == "never" else None,
        scale_to_zero=_scale_to_zero(valid, spec.scale_to_zero),
    )


def _scale_to_zero(valid: Valid, spec: ScaleToZeroSpec | None) -> ScaleToZero | None:
    return ScaleToZero(spec.after, spec.wake_up, valid.place("scaleToZero")) if spec else None


def _removal(spec: RemovalSpec | None, place: Place) -> Removal | None:
    return Removal(data(spec.classes, spec.subjects), tuple(spec.verifiers), place) if spec else None


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


def preferences(valid: Valid, spec: ServiceSpec | DefaultsSpec, *path: str) -> Preferences:
    """What the document itself says under a path; a priority or an order that is left out is not said."""
    steps = tuple(_step(valid, step, index, *path) for index, step in enumerate(spec.degrade))
    priority = spec.priority if "priority" in spec.model_fields_set else None
    return Preferences(
        latency=_latency(valid, spec.objectives, *path),
        availability=_availability(valid, spec.objectives, *path),
        accuracy=_accuracy(valid, spec.objectives, *path),
        degrade=steps if "degrade" in spec.model_fields_set else None,
        priority=Priority(priority, valid.place(*path, "priority")) if priority is not None else None,
    )


def _latency(
    valid: Valid, objectives: Sequence[ObjectiveSpec | DefaultObjectiveSpec], *path: str
) -> tuple[LatencyObjective, ...]:
    return tuple(
        LatencyObjective(
            item.latency.percentile,
            item.latency.below,
            item.latency.window,
            valid.source.key_place("spec", *path, "objectives", index, "latency", "below"),
            (item.latency.origin or "") if isinstance(item.latency, LatencySpec) else "",
            (item.latency.stage or "") if isinstance(item.latency, LatencySpec) else "",
            isinstance(item.latency, LatencySpec) and item.latency.of == "first-response",
        )
        for index, item in enumerate(objectives)
        if item.latency
    )


def _cost(valid: Valid, spec: ServiceSpec) -> CostObjective | None:
    for index, item in enumerate(spec.objectives):
        if item.cost:
            return CostObjective(item.cost.below, item.cost.per, valid.place("objectives", index))
    return None


def _throughput(valid: Valid, spec: ServiceSpec) -> tuple[ThroughputObjective, ...]:
    return tuple(
        ThroughputObjective(
            item.throughput.rate, item.throughput.burst, item.throughput.origin or "", valid.place("objectives", index)
        )
        for index, item in enumerate(spec.objectives)
        if item.throughput
    )


def _availability(
    valid: Valid, objectives: Sequence[ObjectiveSpec | DefaultObjectiveSpec], *path: str
) -> AvailabilityObjective | None:
    for index, item in enumerate(objectives):
        if item.availability:
            return available(item.availability, valid.place(*path, "objectives", index))
    return None


def available(spec: AvailabilitySpec, place: Place) -> AvailabilityObjective:
    """The objective, or the limit of one, that stands at a place."""
    survives_any_site = spec.survives == "any-site"
    return AvailabilityObjective(spec.sites, spec.nodes, place, spec.spares, spec.racks, survives_any_site)


def _accuracy(
    valid: Valid, objectives: Sequence[ObjectiveSpec | DefaultObjectiveSpec], *path: str
) -> AccuracyObjective | None:
    for index, item in enumerate(objectives):
        if item.accuracy:
            return AccuracyObjective(item.accuracy.floor, valid.place(*path, "objectives", index))
    return None


def _step(valid: Valid, step: DegradeSpec, index: int, *path: str) -> DegradeStep:
    place = valid.place(*path, "degrade", index)
    if step.use:
        model, variant = next(iter(step.use.items()))
        return UseVariant(model, variant, place)
    return Shed(step.shed or 0, place)
