"""OpenSLO objectives that Gridwright keeps: those that are measured by its own source, `type: Gridwright`."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from policy.catalogue import error
from policy.checks.references import Unread
from policy.findings import Finding, Level
from policy.openslo.indicators import DataSourceSpec, MetricSource, SliSpec
from policy.openslo.objectives import Objective, SloSpec
from policy.openslo.parts import seconds
from policy.resolved import LatencyObjective, Policy, Service
from policy.validate import Valid
from policy.words import shown, suggestion

SOURCE: Final = "Gridwright"
LATENCY: Final = "latency"
FIRST: Final = "first-response"
ELSEWHERE: Final = "measured by "
REFERRED: Final = (SloSpec, SliSpec, DataSourceSpec)
"""What has to be one thing by its name for objectives to be clear."""
MOST_US: Final = 366 * 86_400 * 1_000_000


class _UnfitError(Exception):
    """An objective of our own source that cannot be kept, and what to write instead."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class _Known:
    """What SLOs may refer to, by name."""

    services: Mapping[str, Service]
    indicators: Mapping[str, SliSpec]
    sources: Mapping[str, DataSourceSpec]
    unread: Unread


def keep(policy: Policy, documents: Sequence[Valid], unread: Unread) -> tuple[Policy, list[Finding]]:
    """The policy with the latency objectives that OpenSLO documents add to its services; and what is not kept."""
    known = _Known(
        {service.name: service for service in reversed(policy.services)},
        {each.name: each.spec for each in documents if isinstance(each.spec, SliSpec)},
        {each.name: each.spec for each in documents if isinstance(each.spec, DataSourceSpec)},
        unread,
    )
    added: defaultdict[str, list[LatencyObjective]] = defaultdict(list)
    findings = list(_twice(documents))
    for valid in documents:
        if isinstance(valid.spec, SloSpec):
            for index, objective in enumerate(valid.spec.objectives):
                kept = _judged(valid, valid.spec, index, objective, known)
                if isinstance(kept, LatencyObjective):
                    added[valid.spec.service].append(kept)
                else:
                    findings += kept
    if not added:
        return policy, findings
    services = tuple(replace(each, latency=(*each.latency, *added.get(each.name, ()))) for each in policy.services)
    return replace(policy, services=services), findings


def _twice(documents: Sequence[Valid]) -> Iterator[Finding]:
    first: dict[tuple[str, str], Valid] = {}
    for valid in documents:
        if not isinstance(valid.spec, REFERRED):
            continue
        before = first.setdefault((valid.kind, valid.name), valid)
        if before is not valid:
            message = (
                f"the OpenSLO {valid.kind} {shown(valid.name)} is declared twice; the first is at {before.place()}"
            )
            yield error("GW0301", valid.place(), message, "rename or remove one")


def _judged(
    valid: Valid, spec: SloSpec, index: int, objective: Objective, known: _Known
) -> LatencyObjective | list[Finding]:
    place = valid.place("objectives", index)
    source = _source(spec, objective, known)
    if isinstance(source, str):
        message = f"the objective of {shown(valid.name)} is read and not kept by Gridwright: it is {source}"
        hint = f"where a latency is meant, measure it by a metricSource of `type: {SOURCE}`; docs/openslo.md shows one"
        return [Finding("GW0395", Level.INFO, message, hint, place)]
    try:
        _assert_its_kind(spec, objective)
        service = _service(spec, source, known)
        origin = _named(service, source, "origin", {each.site for each in service.origins})
        stage = _named(service, source, "stage", {each.name for each in service.stages})
        window_s = seconds(spec.time_window[0].duration)
        of_first = source.spec.get("of") == FIRST
        return LatencyObjective(_percentile(objective), _below(objective), window_s, place, origin, stage, of_first)
    except _UnfitError as unfit:
        if known.unread.may_hold("Service", spec.service):
            return []
        return [error("GW0396", place, f"the objective of {shown(valid.name)} cannot be kept: {unfit}", unfit.hint)]


def _source(spec: SloSpec, objective: Objective, known: _Known) -> MetricSource | str:
    """The source of an objective if it is ours, else how it is measured."""
    inline, reference = objective.indicator or spec.indicator, objective.indicator_ref or spec.indicator_ref
    indicator = inline.spec if inline else known.indicators.get(reference or "")
    if indicator is None:
        return f"{ELSEWHERE}the SLI {shown(reference)}, which is not among the documents"
    if indicator.threshold_metric is None:
        return f"{ELSEWHERE}a ratio of events"
    source = indicator.threshold_metric.metric_source
    data_source = known.sources.get(source.metric_source_ref or "")
    kind = source.type or (data_source.type if data_source else "")
    return source if kind == SOURCE else f"{ELSEWHERE}{shown(kind) if kind else 'a source without a type'}"


def _assert_its_kind(spec: SloSpec, objective: Objective) -> None:
    """Raises _UnfitError."""
    if objective.is_composite:
        raise _UnfitError("it is a part of a composite", "write an SLO of its own, with the indicator in `spec`")
    if spec.budgeting_method != "Occurrences":
        raise _UnfitError("a percentile is of requests, not of time", "write `budgetingMethod: Occurrences`")
    if not spec.time_window[0].is_rolling:
        raise _UnfitError("its window goes by the calendar", "write `isRolling: true` and no `calendar`")


def _service(spec: SloSpec, source: MetricSource, known: _Known) -> Service:
    """The service whose latency a source measures. Raises _UnfitError."""
    service = known.services.get(spec.service)
    if service is None:
        message = f"there is no Service {shown(spec.service)}"
        raise _UnfitError(message, suggestion(spec.service, known.services, "add a Service of gridwright.dev"))
    unknown = set(source.spec) - {"metric", "origin", "stage", "of"}
    if source.spec.get("metric") != LATENCY or unknown or source.spec.get("of", FIRST) != FIRST:
        hint = f"write `metric: {LATENCY}`, and `origin`, `stage` or `of: {FIRST}` if any"
        raise _UnfitError("its source asks for what there is not", hint)
    return service


def _named(service: Service, source: MetricSource, what: str, names: Collection[str]) -> str:
    """The origin or the stage that a source speaks of, empty for all. Raises _UnfitError."""
    name = source.spec.get(what, "")
    if what in source.spec and (not isinstance(name, str) or name not in names):
        raise _UnfitError(f"{service.name} has no {what} {shown(name)}", suggestion(str(name), names, ""))
    return str(name)


def _percentile(objective: Objective) -> int:
    """The target in basis points. Raises _UnfitError."""
    target = objective.target * 100 if objective.target is not None else objective.target_percent or Decimal(0)
    basis_points = target * 100
    if not basis_points or basis_points != int(basis_points):
        raise _UnfitError(f"{target} % is no percentile", "write a target above 0, such as 0.99 or 0.9995")
    return int(basis_points)


def _below(objective: Objective) -> int:
    """The threshold in microseconds; `lt` asks for one less. Raises _UnfitError."""
    microseconds = (objective.value or Decimal(0)) * 1_000_000
    if objective.op not in {"lt", "lte"}:
        raise _UnfitError("a latency is promised to stay below a value", "write `op: lte`")
    below = int(microseconds) - (objective.op == "lt")
    if microseconds != int(microseconds) or not 0 < below <= MOST_US:
        raise _UnfitError(f"{objective.value} is no such number of seconds", "write seconds, such as `value: 0.4`")
    return below
