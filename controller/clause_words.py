"""A clause in words, as one would ask it."""

from policy.clause_list import WrittenClause
from policy.clauses import CertificationClause, ForbiddenClause, LinkSecurityClause, PurchaseClause, ResidencyClause
from policy.resolved import (
    AccuracyObjective,
    AvailabilityObjective,
    Ceiling,
    LatencyObjective,
    ReplicaBound,
    Shed,
    UseVariant,
)
from rules.kernel.quantities import dollars_per_hour, milliseconds, percent, percent_of_ppm, percentile


def said(written: WrittenClause) -> str:
    """The document and what it asks, such as `ComplianceProfile cards: pci-dss >=4.0 is held`."""
    return f"{written.kind} {written.name}: {_compliance(written.clause) or _promise(written.clause) or written.field}"


def _compliance(clause: object) -> str:
    match clause:
        case CertificationClause():
            return f"{clause} is held"
        case ForbiddenClause():
            return f"{clause.standard} is not held"
        case ResidencyClause():
            return f"within {', '.join(clause.within)}"
        case LinkSecurityClause():
            return f"links with {clause.encryption} or better"
        case PurchaseClause():
            return f"bought {' or '.join(clause.among)}"
        case _:
            return ""


def _promise(clause: object) -> str:
    match clause:
        case LatencyObjective():
            origin = f" from {clause.origin}" if clause.origin else ""
            return f"{percentile(clause.percentile_bp)} below {milliseconds(clause.below_us)}{origin}"
        case AvailabilityObjective():
            return f"each stage at {clause.sites} sites or more, on {clause.nodes} nodes or more"
        case AccuracyObjective():
            return f"accuracy of {percent_of_ppm(clause.floor_ppm)} or better"
        case Ceiling():
            return f"at most {dollars_per_hour(clause.millicents_per_hour)}" + _at(clause.site)
        case ReplicaBound():
            return f"{clause.minimum} to {clause.maximum} instances of {clause.model}" + _at(clause.site)
        case _:
            return _step(clause)


def _step(clause: object) -> str:
    match clause:
        case UseVariant():
            return f"{clause.model} may fall back to {clause.variant}"
        case Shed():
            return f"{percent(clause.share_permille)} may be refused"
        case _:
            return ""


def _at(site: str) -> str:
    return f" at {site}" if site else ""
