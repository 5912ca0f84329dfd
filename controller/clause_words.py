"""A clause in words, as one would ask it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from policy.clause_list import WrittenClause
from policy.clauses import (
    CertificationClause,
    ForbiddenClause,
    LinkSecurityClause,
    LocalityClause,
    PayloadClause,
    PurchaseClause,
    ResidencyClause,
    Scope,
    SeparationClause,
)
from policy.resolved import (
    AccuracyObjective,
    AvailabilityObjective,
    Ceiling,
    CostObjective,
    LatencyObjective,
    NeverPreempts,
    PoolsClause,
    ReplicaBound,
    ScaleToZero,
    Shed,
    ThroughputObjective,
    TogetherClause,
    UseVariant,
)
from policy.units import DURATION
from policy.waking import SECOND_US
from policy.words import counted, dollars, dollars_per_hour
from rules.kernel.quantities import milliseconds, percent, percent_of_ppm, percentile


def said(written: WrittenClause) -> str:
    """The document and what it asks, such as `ComplianceProfile cards: pci-dss >=4.0 is held`.

    A clause of a kind that has no words here says what it asks itself, or is called by its field.
    """
    document = written.name if " " in written.name else f"{written.kind} {written.name}"
    kind = type(written.clause)
    if kind in _WORDS:
        return f"{document}: {_WORDS[kind](written.clause)}"
    return f"{document}: {written.field if kind.__str__ is object.__str__ else written.clause}"


def _latency(each: LatencyObjective) -> str:
    stage = f" of {each.stage}" if each.stage else ""
    first = " to the first response" if each.of_first else ""
    return f"{percentile(each.percentile_bp)} below {milliseconds(each.below_us)}{first}{stage}{_from(each.origin)}"


def _throughput(each: ThroughputObjective) -> str:
    burst = f" and {each.burst} at once" if each.burst else ""
    return f"ready for {each.rate_milli_rps / 1000:g} req/s{burst}{_from(each.origin)}"


def _available(each: AvailabilityObjective) -> str:
    racks = f" in {counted(each.racks, 'rack')} or more," if each.racks else ""
    spares = f", with {counted(each.spares, 'instance')} to spare" if each.spares else ""
    survives = "; promises hold with any one site lost" if each.survives_any_site else ""
    return (
        f"each stage at {counted(each.sites, 'site')} or more,{racks} on "
        f"{counted(each.nodes, 'node')} or more{spares}{survives}"
    )


def _bound(each: ReplicaBound) -> str:
    return f"{each.minimum} to {counted(each.maximum, 'instance')} of {each.model}{_at(each.site)}"


def _sleep(each: ScaleToZero) -> str:
    after, wake_up = _duration(each.after_s * SECOND_US), _duration(each.wake_up_us)
    return f"nothing runs {after} after the last request, and the next one is answered {wake_up} later at most"


def _duration(time_us: int) -> str:
    """As documents write it, in the largest unit of which it is a whole number: `15m`."""
    unit, unit_us = next(each for each in reversed(tuple(DURATION.units.items())) if time_us % each[1] == 0)
    return f"{time_us // unit_us}{unit}"


def _pools(each: PoolsClause) -> str:
    names = ", ".join((*each.sites, *each.pools, *each.devices))
    stages = f" for {', '.join(each.stages)}" if each.stages else ""
    return f"{'not on' if each.is_barred else 'only on'} {names}{stages}"


def _services(scope: Scope) -> str:
    labels = (f"{key}={value}" for key, value in scope.labels)
    words = (*scope.services, *scope.teams, *labels, *scope.classes, *scope.subjects)
    return f"services of {', '.join(words)}" if words else "other services"


def _of(each: Ceiling) -> str:
    if each.is_of_nodes:
        return _at(each.site)
    return f" for {each.service}" if each.service else f" for team {each.team}"


def _at(site: str) -> str:
    return f" at {site}" if site else ""


def _from(origin: str) -> str:
    return f" from {origin}" if origin else ""


_WORDS: Final[Mapping[type, Callable[[Any], str]]] = MappingProxyType(
    {
        CertificationClause: lambda each: f"{each} is held",
        ForbiddenClause: lambda each: f"{each.standard} is not held",
        ResidencyClause: lambda each: f"within {', '.join(each.within)}",
        LinkSecurityClause: lambda each: f"links with {each.encryption} or better",
        PayloadClause: lambda each: f"payloads {each.fidelity} or better",
        PurchaseClause: lambda each: f"bought {' or '.join(each.among)}",
        LocalityClause: lambda _: "at the site that its requests come from",
        SeparationClause: lambda each: f"on no node that {_services(each.others)} may use",
        LatencyObjective: _latency,
        ThroughputObjective: _throughput,
        ScaleToZero: _sleep,
        NeverPreempts: lambda _: "takes nothing from others, and waits until there is room",
        CostObjective: lambda each: f"{counted(each.requests, 'request')} for {dollars(each.below_millicents)} or less",
        AvailabilityObjective: _available,
        AccuracyObjective: lambda each: f"accuracy of {percent_of_ppm(each.floor_ppm)} or better",
        PoolsClause: _pools,
        TogetherClause: lambda each: f"{', '.join(each.stages)} {each.where}",
        Ceiling: lambda each: f"at most {dollars_per_hour(each.millicents_per_hour)}{_of(each)}",
        ReplicaBound: _bound,
        UseVariant: lambda each: f"{each.model} may fall back to {each.variant}",
        Shed: lambda each: f"{percent(each.share_permille)} may be refused",
    }
)
