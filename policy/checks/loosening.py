"""A lower tier's clauses of compliance against those above it: each has to ask for at least as much.

What is loosened holds all the same, for all clauses hold together: it is an error since its author believes otherwise.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from policy.catalogue import error
from policy.clauses import CertificationClause, ComplianceProfile, ForbiddenClause, covered
from policy.findings import Finding, Place
from policy.resolve_tiers import tiers_above
from policy.resolved import Policy, Service
from policy.tiers import Tier

HINT = "ask for as much or more, or leave the clause out: the one above holds all the same"


def loosened(policy: Policy) -> Iterator[Finding]:
    """An error for each clause of a team or a service that asks for less than one above it."""
    top, teams = policy.organisation, {team.name: team for team in policy.teams}
    lower: list[tuple[Tier | Service, Sequence[Tier]]] = [(team, (top,) if top else ()) for team in policy.teams]
    lower += [(service, tiers_above(service, teams, top)) for service in policy.services]
    for below, above in lower:
        for tier in above:
            if below.compliance and tier.compliance:
                yield from _looser(below.compliance, tier.compliance)
                yield from _separation(policy, below.compliance, tier.compliance)


def _looser(lower: ComplianceProfile, upper: ComplianceProfile) -> Iterator[Finding]:
    yield from _residency(lower, upper)
    yield from _certifications(lower, upper)
    yield from _forbidden(lower, upper)
    yield from _impossible(lower, upper)
    yield from _links(lower, upper)
    yield from _purchase(lower, upper)
    yield from _link_evidence(lower, upper)
    yield from _attestation(lower, upper)
    yield from _provenance(lower, upper)
    yield from _pinned(lower, upper)
    yield from _payloads(lower, upper)
    if 0 < lower.audited_s < upper.audited_s:
        asked = f"asks for {upper.audited_s} s"
        yield _less(lower.place, f"keeping decisions for {lower.audited_s} s is enough", upper, upper.place, asked)


def _residency(lower: ComplianceProfile, upper: ComplianceProfile) -> Iterator[Finding]:
    if lower.residency and upper.residency:
        more = [word for word in lower.residency.within if word not in upper.residency.within]
        if more:
            yield _less(lower.residency.place, f"{_listed(more)} is allowed", upper, upper.residency.place)


def _purchase(lower: ComplianceProfile, upper: ComplianceProfile) -> Iterator[Finding]:
    if lower.purchase and upper.purchase:
        more = [way.value for way in lower.purchase.among if way not in upper.purchase.among]
        if more:
            yield _less(lower.purchase.place, f"{_listed(more)} is allowed", upper, upper.purchase.place)


def _link_evidence(lower: ComplianceProfile, upper: ComplianceProfile) -> Iterator[Finding]:
    """A clause on links without evidence where one above asks for it, or with evidence of less."""
    one, other = lower.link_evidence, upper.link_evidence
    if other and lower.link_security and one is None:
        yield _less(lower.link_security.place, "no evidence is asked for", upper, other.place, f"asks for `{other}`")
    elif one and other and not set(one.standards) <= set(other.standards):
        yield _less(one.place, f"`{one}` is enough", upper, other.place, f"asks for `{other}`")


def _attestation(lower: ComplianceProfile, upper: ComplianceProfile) -> Iterator[Finding]:
    one, other = lower.attestation, upper.attestation
    if one and other and not one.is_within(other):
        yield _less(one.place, f"`{one}` is enough", upper, other.place, f"asks for `{other}`")


def _provenance(lower: ComplianceProfile, upper: ComplianceProfile) -> Iterator[Finding]:
    """What is asked of artefacts above, of which the lower level speaks, too, and asks for less."""
    for asked in upper.provenance:
        speaking = [clause for clause in lower.provenance if clause.standard.name == asked.standard.name]
        if speaking and not any(clause.is_within(asked) for clause in speaking):
            yield _less(speaking[0].place, f"`{speaking[0]}` is enough", upper, asked.place, f"asks for `{asked}`")


def _pinned(lower: ComplianceProfile, upper: ComplianceProfile) -> Iterator[Finding]:
    one, other = lower.pinned, upper.pinned
    more = [digest for digest in one.digests if other and digest not in other.digests] if one else []
    if one and other and more:
        yield _less(one.place, f"{_listed(more)} is allowed", upper, other.place)


def _separation(policy: Policy, lower: ComplianceProfile, upper: ComplianceProfile) -> Iterator[Finding]:
    """Services that the level above is apart from, and this one is not."""
    if lower.separation and upper.separation:
        kept = set(_apart_from(policy, lower))
        near = [name for name in _apart_from(policy, upper) if name not in kept]
        if near:
            what = f"{_listed(near)} may be near"
            yield _less(lower.separation.place, what, upper, upper.separation.place)


def _apart_from(policy: Policy, profile: ComplianceProfile) -> list[str]:
    others = profile.separation.others if profile.separation else None
    return [each.name for each in policy.services if others and others.means(each) and not profile.covered(each)]


def _links(lower: ComplianceProfile, upper: ComplianceProfile) -> Iterator[Finding]:
    one, other = lower.link_security, upper.link_security
    if one and other and one.encryption.strength < other.encryption.strength:
        yield _less(one.place, f"`{one.encryption}` is enough", upper, other.place, f"asks for `{other.encryption}`")


def _payloads(lower: ComplianceProfile, upper: ComplianceProfile) -> Iterator[Finding]:
    one, other = lower.payloads, upper.payloads
    if one and other and one.fidelity.strength < other.fidelity.strength:
        yield _less(one.place, f"`{one.fidelity}` is enough", upper, other.place, f"asks for `{other.fidelity}`")


def _certifications(lower: ComplianceProfile, upper: ComplianceProfile) -> Iterator[Finding]:
    """Clauses above of whose standards the lower tier speaks, and which none of its clauses implies."""
    by_name: defaultdict[str, dict[CertificationClause, None]] = defaultdict(dict)
    for clause in lower.certifications:
        for standard in clause.any_of:
            by_name[standard.name][clause] = None
    for asked in upper.certifications:
        names = {standard.name: None for standard in asked.any_of}
        speaking = list(dict.fromkeys(clause for name in names for clause in by_name.get(name, ())))
        if speaking and not any(clause.is_within(asked) for clause in speaking):
            yield _less(speaking[0].place, f"`{speaking[0]}` is enough", upper, asked.place, f"asks for `{asked}`")


def _forbidden(lower: ComplianceProfile, upper: ComplianceProfile) -> Iterator[Finding]:
    """Standards forbidden above of which the lower tier forbids only some versions."""
    for asked in upper.forbidden:
        speaking = [clause for clause in lower.forbidden if clause.standard.name == asked.standard.name]
        if speaking and not covered(asked.standard, (clause.standard for clause in speaking)):
            what = f"only `{speaking[0].standard}` is forbidden"
            yield _less(speaking[0].place, what, upper, asked.place, f"forbids `{asked.standard}`")


def _impossible(lower: ComplianceProfile, upper: ComplianceProfile) -> Iterator[Finding]:
    """Clauses that ask for what a tier above forbids, or forbid what one above asks for: nothing could serve."""
    for clause in lower.certifications:
        for barred in upper.forbidden:
            if _is_barred(clause, barred):
                message = f"`{clause}` must be held here, and must not be held at {barred.place}"
                yield error("GW0352", clause.place, message, "take one of the two out, or narrow one to other versions")
    for barred in lower.forbidden:
        for clause in upper.certifications:
            if _is_barred(clause, barred):
                message = f"`{clause}` must not be held here, and must be held at {clause.place}"
                yield error("GW0352", barred.place, message, "take one of the two out, or narrow one to other versions")


def _is_barred(clause: CertificationClause, barred: ForbiddenClause) -> bool:
    """Whether all that would do must not be held; a range that no version fits is told of elsewhere."""
    possible = [standard for standard in clause.any_of if standard.is_possible]
    return bool(possible) and all(covered(standard, (barred.standard,)) for standard in possible)


def _less(place: Place, what: str, upper: ComplianceProfile, above: Place, asks: str = "does not allow it") -> Finding:
    return error("GW0350", place, f"{what} here, and the {upper.name}, at {above}, {asks}", HINT)


def _listed(words: Sequence[str]) -> str:
    return " or ".join(f"`{word}`" for word in words)
