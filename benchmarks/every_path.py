"""Which rules refuse a path, whoever stands where: each stated in other words than for the solver and the verifier."""

from collections.abc import Iterator
from dataclasses import replace

from every_payload import used_by_a_request

from policy.clauses import (
    AttestationClause,
    CertificationClause,
    ComplianceProfile,
    ProvenanceClause,
    Scope,
    Standard,
    Tcb,
    TcbClause,
    VersionBound,
)
from policy.resolved import Maintenance, Model, Pool, Service, Stage, UseVariant, Variant
from rules.kernel.evidence import Attested, Held
from rules.kernel.problem import Demand, Option, Path, Problem

STRENGTH = ("none", "tls", "mtls")
TRUENESS = ("lowered", "lossless", "verbatim")
AROUND_LOADING_S = 3
"""Of a wake-up: deciding, and seeing that instances are loaded and that routes are followed."""


def refusing(problem: Problem, path: Path) -> frozenset[str]:
    """The rules that let nothing take the path."""
    return frozenset(_refusing(problem, path))


def _refusing(problem: Problem, path: Path) -> Iterator[str]:
    demand = problem.demand(path.demand)
    service = problem.policy.service(demand.service)
    yield from _as_a_whole(problem, service, demand, path)
    yield from _as_it_is_sent(problem, service, path)
    for stage, option in zip(service.stages, (problem.option(name) for name in path.options), strict=True):
        pool = _pool(problem, option)
        yield from _promised(service, stage, option, pool)
        if any(_is_worked_on(problem, work, pool) for work in problem.policy.maintenance):
            yield "maintenance"
        yield from _protected(problem, service, stage, option, demand.origin)


def is_useless(problem: Problem, option: Option) -> bool:
    """Whether each stage that calls the option's model is kept away from its pool, from wherever it is asked for."""
    pool, services = _pool(problem, option), problem.policy.services
    asking = {(demand.service, demand.origin) for demand in problem.demands}
    asking |= {(service.name, origin.site) for service in services for origin in service.origins}
    calls = [(each, stage) for each in services for stage in each.stages if stage.model == option.placement.model]
    ways = [(each, stage, origin) for each, stage in calls for name, origin in asking if name == each.name]
    return bool(ways) and all(
        bool(pool.dedicated_to and not _speaks_of(pool.dedicated_to, service))
        or any(True for _ in _protected(problem, service, stage, option, origin))
        for service, stage, origin in ways
    )


def _protected(problem: Problem, service: Service, stage: Stage, option: Option, origin: str) -> Iterator[str]:
    """What profiles that are meant for a stage have against an option, for requests of an origin."""
    pool = _pool(problem, option)
    for profile in problem.policy.compliance:
        scope = profile.scope
        is_meant = stage.name in (scope.stages or [stage.name])
        if is_meant and any(stage.name in _handling(problem, service, word) for word in scope.classes):
            yield from _held_otherwise(problem, profile, pool)
            yield from _unvouched(problem, profile, option)
            yield from _afar(problem, profile, origin, pool.site)


def _as_a_whole(problem: Problem, service: Service, demand: Demand, path: Path) -> Iterator[str]:
    """What all stages together break."""
    for objective in (each for each in service.latency if not each.origin or each.origin == demand.origin):
        predicted = path.first_us if objective.of_first else (("", path.latency_us), *path.stage_latency_us)
        known_us = next(us for name, us in predicted if name == objective.stage)
        told = [us for basis, us in known_us if basis >= objective.percentile_bp]
        if (told[0] if told else known_us[-1][1]) > objective.below_us:
            yield "latency"
    pools = [_pool(problem, problem.option(name)) for name in path.options]
    if service.cost and service.cost.requests * used_by_a_request(problem, path) > service.cost.below_millicents:
        yield "unit_cost"
    if service.scale_to_zero and _awake_us(problem, service, path) > service.scale_to_zero.wake_up_us:
        yield "wake_up"
    for clause in service.together:
        meant = [pool for stage, pool in zip(service.stages, pools, strict=True) if stage.name in clause.stages]
        if len({pool.site if clause.within.value in {"site", "rack"} else pool.name for pool in meant}) > 1:
            yield "together"


def _as_it_is_sent(problem: Problem, service: Service, path: Path) -> Iterator[str]:
    """What is wrong with how inputs are made smaller on their way."""
    origin, ends = problem.demand(path.demand).origin, {pool.name: pool.site for pool in problem.policy.pools}
    for stage, name, encoding in zip(service.stages, path.options, path.encodings or (), strict=False):
        option = problem.option(name)
        for declared in (each for each in stage.encodings if each.format == encoding):
            hop = {origin, ends[option.placement.pool]}
            links = [each for each in problem.policy.links if {each.a, each.b} == hop]
            is_packed = declared.fidelity.value == "lossless"
            if not any(encoding in (each.compressions if is_packed else each.precisions) for each in links):
                yield "payload_encoding"
            left_ppm = option.accuracy_ppm - declared.loses_ppm
            if service.accuracy and declared.loses_ppm and left_ppm < service.accuracy.floor_ppm:
                yield "payload_encoding"
            yield from _less_than_asked(problem, service, stage, declared.fidelity.value)


def _less_than_asked(problem: Problem, service: Service, stage: Stage, fidelity: str) -> Iterator[str]:
    for profile in problem.policy.compliance:
        scope = profile.scope
        asked = profile.payloads.fidelity.value if profile.payloads else TRUENESS[0]
        is_meant = stage.name in (scope.stages or [stage.name])
        is_meant &= any(stage.name in _handling(problem, service, word) for word in scope.classes)
        if is_meant and TRUENESS.index(fidelity) < TRUENESS.index(asked):
            yield "payload_fidelity"


def _awake_us(problem: Problem, service: Service, path: Path) -> int:
    """How long it takes until the path is there, from nothing: pools load side by side."""
    instances = 1 + (service.availability.spares if service.availability else 0)
    around_us = (problem.policy.scaling.interval_s + AROUND_LOADING_S) * 1_000_000
    loads_us: dict[str, int] = {}
    for name in set(path.options):
        option = problem.option(name)
        loads_us[option.placement.pool] = loads_us.get(option.placement.pool, 0) + option.load_us * instances
    return around_us + max(loads_us.values())


def _promised(service: Service, stage: Stage, option: Option, pool: Pool) -> Iterator[str]:
    """What one stage breaks of what its service and the pool say."""
    exempt = any(
        isinstance(step, UseVariant)
        and step.model == option.placement.model
        and step.variant == option.placement.variant
        for step in service.degrade
    )
    if service.accuracy and not exempt and option.accuracy_ppm < service.accuracy.floor_ppm:
        yield "accuracy"
    for clause in service.pools:
        lists = ((pool.site, clause.sites), (pool.name, clause.pools), (pool.device, clause.devices))
        fits = all(name in names for name, names in lists if names)
        if stage.name in (clause.stages or [stage.name]) and fits == clause.is_barred:
            yield "placement"
    if pool.dedicated_to and not _speaks_of(pool.dedicated_to, service):
        yield "dedication"


def _held_otherwise(problem: Problem, profile: ComplianceProfile, pool: Pool) -> Iterator[str]:
    """What a pool is not that a profile asks for."""
    if any(not _certified(problem, clause, pool) for clause in profile.certifications):
        yield "certification"
    if any(_held_ever(problem, clause.standard, pool) for clause in profile.forbidden):
        yield "forbidden_certification"
    if profile.attestation and not _attested(problem, profile.attestation, pool):
        yield "attestation"
    if profile.storage and not _encrypts(problem, pool):
        yield "encryption_at_rest"
    if profile.purchase and not {pool.purchase} & set(profile.purchase.among):
        yield "purchase"
    if profile.separation:
        others = [each for each in problem.policy.services if not _may_cover(problem, profile.scope, each)]
        near = [each for each in others if pool.dedicated_to is None or _speaks_of(pool.dedicated_to, each)]
        if any(_speaks_of(profile.separation.others, each) for each in near):
            yield "separation"


def _unvouched(problem: Problem, profile: ComplianceProfile, option: Option) -> Iterator[str]:
    """What is not said of an artefact that a profile asks for."""
    made = [each.digest for model in problem.policy.models for each in model.variants if _is_of(option, model, each)]
    if any(not _vouched_for(problem, clause, made) for clause in profile.provenance):
        yield "provenance"
    if profile.pinned and not set(made) & set(profile.pinned.digests):
        yield "pinned"


def _afar(problem: Problem, profile: ComplianceProfile, origin: str, site: str) -> Iterator[str]:
    """What the way from an origin breaks."""
    links = [each for each in problem.policy.links if {each.a, each.b} == {origin, site}]
    if profile.locality and site != origin:
        yield "locality"
    if profile.residency:
        within = set(profile.residency.within)
        ends = [each.jurisdictions for each in problem.policy.sites if each.name in {origin, site}]
        inside = all(within & set(names) for names in ends)
        crossing = origin == site or any(within >= set(each.transit) for each in links)
        if not (inside and crossing):
            yield "residency"
    asked = profile.link_evidence.standards if profile.link_evidence and origin != site else ()
    if asked and not _proven(problem, asked, {each.name for each in links}):
        yield "link_evidence"
    if profile.link_security and origin != site:
        strength = STRENGTH.index(profile.link_security.encryption.value)
        if not any(STRENGTH.index(each.encryption.value) >= strength for each in links):
            yield "link_security"


def _is_worked_on(problem: Problem, work: Maintenance, pool: Pool) -> bool:
    """Whether in any second somebody is at work on the pool."""
    if pool.name not in work.pools and pool.site not in work.sites:
        return False
    window, spans = work.window, [range(work.window.from_s, work.window.until_s)]
    while window.every_s and spans[-1].start < problem.needed_until_s:
        spans.append(range(spans[-1].start + window.every_s, spans[-1].stop + window.every_s))
    return any(second in span for second in range(problem.now_s, problem.needed_until_s) for span in spans)


def _pool(problem: Problem, option: Option) -> Pool:
    return next(each for each in problem.policy.pools if each.name == option.placement.pool)


def _speaks_of(scope: Scope, service: Service) -> bool:
    """Whether a scope of services, classes and stages covers something of a service."""
    stages = {stage.name for stage in service.stages}
    is_named = not scope.services or service.name in scope.services
    carried = {*service.data_classes, *(datum.word for stage in service.stages for datum in stage.adds)}
    is_carried = not scope.classes or not carried.isdisjoint(scope.classes)
    return is_named and is_carried and (not scope.stages or bool(stages & set(scope.stages)))


def _may_cover(problem: Problem, scope: Scope, service: Service) -> bool:
    """Whether a stage that is meant handles a class that is meant if nothing is taken out."""
    free = replace(problem, provenances=())
    handling = set().union(*(_handling(free, service, word) for word in scope.classes))
    return bool(handling & set(scope.stages or handling))


def _handling(problem: Problem, service: Service, word: str) -> set[str]:
    """The stages that a class of data gets to."""
    handling: set[str] = set()
    putting_out: set[str] = set()
    for stage in service.stages:  # each after some of those before it
        makes = any(datum.word == word for datum in stage.adds)
        sent = word in service.data_classes or bool(putting_out & _all_before(service, stage))
        reads = sent if stage.reads.value == "everything" else bool(putting_out & set(stage.after))
        if reads or makes:
            handling.add(stage.name)
        if makes or (reads and not _is_taken_out(problem, stage, word)):
            putting_out.add(stage.name)
    return handling


def _all_before(service: Service, stage: Stage) -> set[str]:
    before = {each.name: each for each in service.stages}
    return set(stage.after).union(*(_all_before(service, before[name]) for name in stage.after))


def _is_taken_out(problem: Problem, stage: Stage, word: str) -> bool:
    """Whether in each second somebody who may says of each variant that it takes the class out."""
    if stage.removes is None or all(datum.word != word for datum in stage.removes.data):
        return False
    variants = [each for model in problem.policy.models if model.name == stage.model for each in model.variants]
    trusted = stage.removes.verifiers
    return bool(variants) and all(
        any(
            each.digest == variant.digest
            and each.from_s <= second < each.until_s
            and any((datum.kind, datum.word) == ("class", word) for datum in each.removes)
            and each.signer in (trusted or [each.signer])
            for each in problem.provenances
        )
        for variant in variants
        for second in range(problem.now_s, problem.needed_until_s)
    )


def _proven(problem: Problem, standards: tuple[str, ...], names: set[str]) -> bool:
    """Whether in each second one of these is stated of a link of that name."""
    said = [
        each
        for each in problem.certifications
        if each.subject_kind == "link" and each.subject in names and each.standard in standards
    ]
    seconds = range(problem.now_s, problem.needed_until_s)
    return all(any(each.from_s <= second < each.until_s for each in said) for second in seconds)


def _certified(problem: Problem, clause: CertificationClause, pool: Pool) -> bool:
    """Whether in each second one of the standards is held."""
    held = [each for standard in clause.any_of for each in _held(problem, standard, pool)]
    seconds = range(problem.now_s, problem.needed_until_s)
    return all(any(each.from_s <= second < each.until_s for each in held) for second in seconds)


def _attested(problem: Problem, clause: AttestationClause, pool: Pool) -> bool:
    """Whether in each second some result of each node is there, is young enough and says all that is asked."""
    return all(
        _node_attested(problem, clause, {("pool", pool.name), ("site", pool.site), ("node", f"{pool.name}/{node}")})
        for node in pool.node_names()
    )


def _encrypts(problem: Problem, pool: Pool) -> bool:
    """Whether in each second, and of each node, somebody says so."""
    its = {("pool", pool.name), ("site", pool.site)}
    said: list[Held | Attested] = [each for each in problem.certifications if each.standard == "encryption-at-rest"]
    said += [each for each in problem.attestations if "storage-opaque" in each.claims and each.tier == "affirming"]
    return all(
        any(
            each.from_s <= second < each.until_s
            and (
                (each.subject_kind, each.subject) in its
                or (each.subject_kind, each.subject) == ("node", f"{pool.name}/{node}")
            )
            for each in said
        )
        for second in range(problem.now_s, problem.needed_until_s)
        for node in pool.node_names()
    )


def _since_s(result: Attested, clause: AttestationClause) -> int:
    """The second that its age counts from."""
    return result.nonce_s if clause.nonce and result.nonce_s is not None else result.appraised_s


def _is_behind(clause: TcbClause, tcb: Tcb) -> bool:
    """Whether an environment is less up to date than asked, or does not say in which way it is."""
    if tcb.status:
        return tcb.status not in clause.statuses
    reported = dict(tcb.versions)
    return not clause.versions or any(name not in reported or reported[name] < least for name, least in clause.versions)


def _node_attested(problem: Problem, clause: AttestationClause, subjects: set[tuple[str, str]]) -> bool:
    results = [
        each
        for each in problem.attestations
        if (each.subject_kind, each.subject) in subjects
        and not (clause.tees and (not each.tees or any(tee not in clause.tees for tee in each.tees)))
        and all(claim in each.claims for claim in clause.claims)
        and all(feature in each.devices for feature in clause.devices)
        and (each.nonce_s is not None or not clause.nonce)
        and (each.tier == "affirming" or clause.min_tier == "warning")
        and (clause.tcb is None or (each.tcbs and not any(_is_behind(clause.tcb, tcb) for tcb in each.tcbs)))
        and each.verifier in (clause.verifiers or [each.verifier])
    ]
    return all(
        any(
            each.from_s <= second < each.until_s
            and not (clause.max_age_s and second - _since_s(each, clause) >= clause.max_age_s)
            for each in results
        )
        for second in range(problem.now_s, problem.needed_until_s)
    )


def _is_of(option: Option, model: Model, variant: Variant) -> bool:
    return (option.placement.model, option.placement.variant) == (model.name, variant.name)


def _vouched_for(problem: Problem, clause: ProvenanceClause, digests: list[str]) -> bool:
    """Whether in each second somebody who may says it of the digest."""
    said = [
        each
        for each in problem.provenances
        if [each.digest] == digests
        and each.standard == clause.standard.name
        and all(_stands(each.version, bound) for bound in clause.standard.bounds)
        and each.signer in (clause.signers or [each.signer])
    ]
    seconds = range(problem.now_s, problem.needed_until_s)
    return all(any(each.from_s <= second < each.until_s for each in said) for second in seconds)


def _held_ever(problem: Problem, standard: Standard, pool: Pool) -> bool:
    """Whether in any second the standard is held."""
    held = _held(problem, standard, pool)
    seconds = range(problem.now_s, problem.needed_until_s)
    return any(each.from_s <= second < each.until_s for each in held for second in seconds)


def _held(problem: Problem, standard: Standard, pool: Pool) -> list[Held]:
    """What is held of a standard in versions that are meant."""
    return [
        each
        for each in problem.certifications
        if (each.subject_kind, each.subject) in {("pool", pool.name), ("site", pool.site)}
        and each.standard == standard.name
        and all(_stands(each.version, bound) for bound in standard.bounds)
    ]


def _stands(version: tuple[int, ...], bound: VersionBound) -> bool:
    """Whether a version stands to a bound's as it says; 4 is 4.0.0."""
    held, asked = [*version, 0, 0, 0][:3], [*bound.version, 0, 0, 0][:3]
    return {
        ">=": held >= asked,
        ">": held > asked,
        "<=": held <= asked,
        "<": held < asked,
        "=": held == asked,
    }[bound.comparison.value]
