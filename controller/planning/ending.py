"""Until when a plan is valid: when its routes and idle instances first lose what rules go by that hold for a time."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from controller.planning.instants import instants
from controller.planning.standing_until import standing_until_s
from policy.checks.endings import NOTICE
from policy.findings import Finding, Level
from rules.attestation import Attestation
from rules.catalogue import COMPLIANCE, STANDING
from rules.certification import Certification
from rules.encryption_at_rest import EncryptionAtRest
from rules.forbidden_certification import ForbiddenCertification
from rules.kernel.evidence import Vouched
from rules.kernel.measure import visits
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.link_evidence import LinkEvidence
from rules.maintenance import Maintenance
from rules.provenance import Provenance

FOREVER_S: Final = 253_402_300_799
"""The last second that a datetime can name."""
RENEWED_NOTICE: Final = timedelta(hours=1)
OF_TIME: Final = (
    Certification(),
    ForbiddenCertification(),
    Attestation(),
    EncryptionAtRest(),
    Provenance(),
    LinkEvidence(),
    Maintenance(),
)
"""The rules that go by what holds from one second to another."""


def ends_of(plan: Plan, problem: Problem) -> dict[str, datetime]:
    """By the id of a rule of evidence, when the plan's routes first lose what that rule goes by.

    By `data` when data is no longer known to be removed from what a route carries that must not carry it, and by
    `standing` when idle instances first lose all by which somebody may use them. Where that is an attestation result,
    or one says that storage is encrypted, it counts by `attestation`: it is the result that ends. Until the first of
    all these the plan is valid.
    """
    lasting = _lasting(problem)
    found = {
        rule.id: min((each.measured for each in rule.check(plan, lasting) if each.measured), default=None)
        for rule in OF_TIME
    }
    stored_s = found[EncryptionAtRest.id]
    if any(each.until_s == stored_s for each in problem.attestations):
        del found[EncryptionAtRest.id]
        found[Attestation.id] = min(each for each in (stored_s, found[Attestation.id]) if each is not None)
    found["data"] = _removed_until_s(plan, problem)
    others = frozenset(instants(replace(problem, attestations=())))
    for end_s in standing_until_s(plan, problem).values():
        name = STANDING.id if end_s in others else Attestation.id
        if end_s > problem.now_s:
            found[name] = min(end_s, found.get(name) or end_s)
    return {name: datetime.fromtimestamp(end_s, UTC) for name, end_s in found.items() if end_s is not None}


def ends_by_use(plan: Plan, problem: Problem) -> dict[tuple[str, str, str], datetime]:
    """By demand, stage and option, when that use first loses what a rule of evidence or of maintenance goes by.

    What a use lacks already ends now. Once data is no longer known to be removed, every use may be of that data.
    """
    uses = {str(visit): (visit.demand.id, visit.stage.name, visit.option.id) for visit in visits(plan, problem)}
    found: dict[tuple[str, str, str], int] = {}
    for rule in OF_TIME:
        for each in rule.check(plan, _lasting(problem)):
            use = uses[each.subject]
            found[use] = min(max(each.measured, problem.now_s), found.get(use, FOREVER_S))
    removed_s = _removed_until_s(plan, problem)
    if removed_s is not None:
        found = {use: min(removed_s, found.get(use, FOREVER_S)) for use in uses.values()}
    return {use: datetime.fromtimestamp(end_s, UTC) for use, end_s in found.items()}


def _lasting(problem: Problem) -> Problem:
    """The problem of a plan that is needed for ever."""
    return replace(problem, needed_until_s=FOREVER_S, provenances=tuple(_as_removed_now(problem)))


def _as_removed_now(problem: Problem) -> Iterator[Vouched]:
    """What is said of artefacts, as if the removals that count now did for good: their ends are judged apart."""
    for each in problem.provenances:
        lasts = each.removes and each.until_s >= problem.needed_until_s
        yield replace(each, until_s=FOREVER_S) if lasts else each


def _removed_until_s(plan: Plan, problem: Problem) -> int | None:
    """The first second at which a removal is no longer vouched for and a rule on compliance objects for that alone."""
    for end_s in sorted({each.until_s for each in problem.provenances if each.removes}):
        if problem.needed_until_s <= end_s < FOREVER_S:
            later = replace(problem, needed_until_s=end_s + 1)
            lasting = replace(later, provenances=tuple(_as_removed_now(problem)))
            if any(set(rule.check(plan, later)) - set(rule.check(plan, lasting)) for rule in COMPLIANCE):
                return end_s
    return None


def _soon(ends: Mapping[str, datetime], now: datetime) -> datetime | None:
    """The first of these ends of which a person should know now; None where that can wait.

    Attestation results are renewed every day or more often, so of their end it is said late.
    """
    due = [at for rule, at in ends.items() if at - now <= (RENEWED_NOTICE if rule == Attestation.id else NOTICE)]
    return min(due, default=None)


def ending(ends: Mapping[str, datetime], now: datetime) -> tuple[Finding, ...]:
    """That it ends, where a person should know of it now."""
    until = _soon(ends, now)
    if until is None:
        return ()
    return (
        Finding(
            "GW2014",
            Level.WARNING,
            f"evidence behind the plan ends, evidence against it begins, or maintenance does, at {until.isoformat()}; "
            "what that touches moves before",
            "renew the evidence where it ends, and make sure that other sites or variants that are allowed have room",
        ),
    )
