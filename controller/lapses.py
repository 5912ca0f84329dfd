"""What stops being allowed as evidence ends: foreseen by the rules themselves, at each instant at which something does.

Nothing is planned and no latency predicted: a placement is allowed where no rule of compliance or accuracy bars it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from collectors.evidence.records import ARTEFACT, FOREVER, Evidence
from controller.planning.demand import demand_id
from controller.planning.instants import instants
from controller.planning.proofs import attestations, certifications, provenances
from controller.planning.unremoved import unremoved
from policy.checks.endings import NOTICE, nothing_left
from policy.clauses import ComplianceProfile
from policy.findings import Finding, Place
from policy.resolved import Policy
from rules.catalogue import EXCLUDING
from rules.kernel.problem import Demand, Option, Placement, Problem

Stage = tuple[str, str, str]
"""A service, the origin of its requests, and one of its stages."""


@dataclass(frozen=True, slots=True)
class Ending:
    """When a piece of evidence ends, with the clauses that go by it and the services that these protect.

    An attestation result ends for a clause at that clause's `maxAge`; the first of these counts.
    """

    at: datetime
    evidence: str
    subject_kind: str
    subject: str
    standard: str
    clauses: tuple[Place, ...]
    services: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Lapse:
    """From `at` on, `gone` may no longer serve a stage of a service from these origins, and `left` still may.

    Placements are left at `leaves_at`, earlier by the policy's `evidenceLead`.
    """

    at: datetime
    leaves_at: datetime
    service: str
    stage: str
    origins: tuple[str, ...]
    gone: tuple[Placement, ...]
    left: tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """The evidence that ends, soonest first; what it takes with it; and what a person should do something about."""

    endings: tuple[Ending, ...]
    lapses: tuple[Lapse, ...]
    findings: tuple[Finding, ...]


def outlook(policy: Policy, evidence: tuple[Evidence, ...], now: datetime) -> Outlook:
    """What ends after `now` (UTC) if nothing is renewed."""
    ends = sorted((_ending(policy, each) for each in evidence if now < each.expires_at < FOREVER), key=_soonest)
    asked = _problem(policy, evidence, now)
    lapses = tuple(_lapses(policy, asked))
    return Outlook(tuple(ends), lapses, (*unremoved(asked), *_nothing_left(policy, lapses, now)))


def _soonest(ending: Ending) -> tuple[datetime, str]:
    return ending.at, ending.evidence


def _ending(policy: Policy, evidence: Evidence) -> Ending:
    asking = [(profile, place) for profile in policy.compliance for place in _answered(policy, profile, evidence)]
    profiles = {profile.name: profile for profile, _ in asking}.values()
    removing = _removing(policy, evidence)
    services = [
        each.name
        for each in policy.services
        if each.name in removing or any(profile.covered(each) for profile in profiles)
    ]
    return Ending(
        min([evidence.expires_at, *_aged(evidence, profiles)]),
        evidence.id,
        evidence.subject_kind,
        evidence.subject,
        evidence.standard,
        (*(place for _, place in asking), *(place for places in removing.values() for place in places)),
        tuple(services),
        evidence.place,
    )


def _removing(policy: Policy, evidence: Evidence) -> dict[str, list[Place]]:
    """By service, where its stages are declared to remove what a statement says of a variant of theirs."""
    models = {model.name for model in policy.models for each in model.variants if each.digest == evidence.subject}
    found: dict[str, list[Place]] = {}
    for service in policy.services if evidence.removes else ():
        for stage in service.stages:
            if stage.removes and stage.model in models and not stage.removes.data.isdisjoint(evidence.removes):
                found.setdefault(service.name, []).append(stage.removes.place)
    return found


def _aged(evidence: Evidence, profiles: Iterable[ComplianceProfile]) -> Iterator[datetime]:
    """When an attestation result is too old for each of these."""
    for profile in profiles if evidence.attestation else ():
        result, clause = evidence.attestation, profile.attestation
        if result and clause and clause.max_age_s and clause.met_by(result):
            since = result.nonce_at if clause.nonce and result.nonce_at else result.appraised_at
            yield since + timedelta(seconds=clause.max_age_s)


def _answered(policy: Policy, profile: ComplianceProfile, evidence: Evidence) -> Iterator[Place]:
    """The clauses of a profile that go by a piece of evidence, for it or against it."""
    said = evidence.attestation
    yield from _encryption(profile, evidence)
    if said is not None:
        clause = profile.attestation
        if clause and clause.met_by(said):
            yield clause.place
    elif evidence.subject_kind == "link":
        proven = profile.link_evidence
        if proven and evidence.standard in proven.standards:
            yield proven.place
    elif evidence.subject_kind == ARTEFACT:
        yield from _vouched_for(policy, profile, evidence)
    else:
        for asked in profile.certifications:
            if asked.met_by(evidence.standard, evidence.version):
                yield asked.place
        for each in profile.forbidden:
            if each.standard.met_by(evidence.standard, evidence.version):
                yield each.place


def _encryption(profile: ComplianceProfile, evidence: Evidence) -> Iterator[Place]:
    """The clause on encryption at rest, where the evidence is a certification or a result that says so."""
    clause, said = profile.storage, evidence.attestation
    if clause and (clause.affirmed_by(said) if said else clause.standard == evidence.standard):
        yield clause.place


def _vouched_for(policy: Policy, profile: ComplianceProfile, evidence: Evidence) -> Iterator[Place]:
    signer = next((issuer.name for issuer in policy.issuers if issuer.iss == evidence.issuer), "")
    for clause in profile.provenance:
        if clause.met_by(signer, evidence.standard, evidence.version):
            yield clause.place


def _problem(policy: Policy, evidence: tuple[Evidence, ...], now: datetime) -> Problem:
    """The question which placements may serve what, without any number that latency or cost would need.

    Maintenance is left out: it passes by itself, and no evidence ends it.
    """
    now_s = int(now.timestamp())
    return Problem(
        policy=replace(policy, maintenance=()),
        now_s=now_s,
        needed_until_s=now_s + 1,
        demands=tuple(
            Demand(demand_id(service.name, origin.site), service.name, origin.site, 1)
            for service in policy.services
            for origin in service.origins
        ),
        options=tuple(_options(policy)),
        paths=(),
        nodes=(),
        certifications=certifications(evidence),
        running=(),
        floors=(),
        attestations=attestations(evidence),
        provenances=provenances(policy, evidence),
    )


def _options(policy: Policy) -> Iterator[Option]:
    profiled = {(each.device, item.model, item.variant) for each in policy.devices for item in each.variants}
    for model in policy.models:
        for variant in model.variants:
            for pool in policy.pools:
                if (pool.device, model.name, variant.name) in profiled:
                    placement = Placement(model.name, variant.name, pool.name)
                    accuracy_ppm = variant.accuracy_ppm
                    yield Option(str(placement), placement, 1, 0, 1, 1, variant.memory_mib, 1, accuracy_ppm, 0)


def _lapses(policy: Policy, problem: Problem) -> Iterator[Lapse]:
    """What is lost at each instant at which evidence ends, or evidence against something begins."""
    before = _allowed(problem)
    lead = timedelta(seconds=policy.scaling.evidence_lead_s)
    for at_s in instants(problem):
        now = _allowed(replace(problem, now_s=at_s, needed_until_s=at_s + 1))
        at = datetime.fromtimestamp(at_s, UTC)
        same: dict[tuple[str, str, tuple[Placement, ...], tuple[Placement, ...]], list[str]] = {}
        for (service, origin, stage), left in now.items():
            gone = before[service, origin, stage] - left
            if gone:
                same.setdefault((service, stage, tuple(sorted(gone)), tuple(sorted(left))), []).append(origin)
        for (service, stage, lost, rest), origins in same.items():
            yield Lapse(at, at - lead, service, stage, tuple(origins), lost, rest)
        before = now


def _allowed(problem: Problem) -> dict[Stage, frozenset[Placement]]:
    """What may serve each stage, by the rules that bar uses."""
    barred: dict[tuple[str, str], set[str]] = {}
    for rule in EXCLUDING:
        for row in rule.exclusions(problem) if rule.applies(problem) else ():
            barred.setdefault((row.demand, row.stage), set()).add(row.option)
    return {
        (demand.service, demand.origin, stage.name): frozenset(
            option.placement
            for option in problem.options_of(stage.model)
            if option.id not in barred.get((demand.id, stage.name), ()) and _is_joined(problem, demand, option)
        )
        for demand in problem.demands
        for stage in problem.service_of(demand).stages
    }


def _is_joined(problem: Problem, demand: Demand, option: Option) -> bool:
    site = problem.site_of(option)
    return demand.origin == site or problem.link(demand.origin, site) is not None


def _nothing_left(policy: Policy, lapses: tuple[Lapse, ...], now: datetime) -> Iterator[Finding]:
    for lapse in lapses:
        if not lapse.left and lapse.at - now <= NOTICE:
            what = f"stage {lapse.stage} of `{lapse.service}`, requests of {', '.join(lapse.origins)},"
            yield nothing_left(what, lapse.at, policy.service(lapse.service).place)
