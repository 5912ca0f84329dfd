"""Ways to ask for more: each gives a policy that says everything that the one before did, and something besides."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from hypothesis import strategies as st

from policy.clauses import (
    AFFIRMING,
    WARNING,
    AttestationClause,
    CertificationClause,
    Comparison,
    ComplianceProfile,
    ForbiddenClause,
    LinkEvidenceClause,
    LinkSecurityClause,
    LocalityClause,
    PinnedClause,
    ProvenanceClause,
    PurchaseClause,
    ResidencyClause,
    Scope,
    SeparationClause,
    Standard,
    StorageClause,
    TcbClause,
    VersionBound,
)
from policy.resolved import (
    AccuracyObjective,
    AvailabilityObjective,
    Ceiling,
    CostObjective,
    Encryption,
    Maintenance,
    Policy,
    Pool,
    PoolsClause,
    Purchase,
    Service,
    TogetherClause,
    Within,
)
from policy.windows import Window
from tests.rules.build import at

HERE: Final = at(90)
VERSIONS: Final = st.sampled_from([(2,), (4,), (4, 0, 1), (5,)])
BOUNDS: Final = st.builds(VersionBound, st.sampled_from(Comparison), VERSIONS)
STANDARDS: Final = st.builds(
    Standard,
    st.sampled_from(["pci-dss", "iso-27001", "exposed"]),
    st.lists(BOUNDS, max_size=1).map(tuple),
)
WITHIN: Final = st.lists(st.sampled_from(["FR", "EU", "US"]), min_size=1, unique=True).map(tuple)
AMONG: Final = st.lists(st.sampled_from(Purchase), min_size=1, unique=True).map(tuple)
ATTESTATIONS: Final = st.builds(
    AttestationClause,
    st.sampled_from([(), ("sev-snp",), ("sev-snp", "tdx")]),
    st.sampled_from([(), ("hardware",), ("hardware", "executables")]),
    st.sampled_from([(), ("secure-boot",)]),
    st.sampled_from([(), ("trustee",), ("veraison",)]),
    st.sampled_from([0, 500, 5000]),
    st.just(HERE),
    st.sampled_from([AFFIRMING, WARNING]),
    st.sampled_from(
        [
            None,
            TcbClause(("UpToDate",), ()),
            TcbClause(("UpToDate", "OutOfDate"), (("snp", 23),)),
            TcbClause((), (("snp", 24), ("tee", 1))),
        ]
    ),
    st.booleans(),
)
SIGNED: Final = st.builds(
    Standard,
    st.sampled_from(["slsa", "model-signature"]),
    st.lists(st.builds(VersionBound, st.sampled_from(Comparison), st.sampled_from([(2,), (3,), (4,)])), max_size=1).map(
        tuple
    ),
)
SCOPES: Final = st.sampled_from(
    [
        Scope(),
        Scope(classes=("card",)),
        Scope(services=("ocr",)),
        Scope(stages=("read",)),
        Scope(teams=("payments",)),
    ]
)
FULL: Final = "sha256:f0f0f0f0f0"
NEXT: Final = "sha256:beadbeadbe"
PROFILES: Final = st.builds(
    ComplianceProfile,
    st.just("more"),
    SCOPES,
    st.lists(
        st.builds(CertificationClause, st.lists(STANDARDS, min_size=1, max_size=2).map(tuple), st.just(HERE)),
        max_size=1,
    ).map(tuple),
    st.lists(st.builds(ForbiddenClause, STANDARDS, st.just(HERE)), max_size=1).map(tuple),
    st.none() | st.builds(ResidencyClause, WITHIN, st.just(HERE)),
    st.none() | st.builds(LinkSecurityClause, st.sampled_from(Encryption), st.just(HERE)),
    st.none() | st.builds(PurchaseClause, AMONG, st.just(HERE)),
    st.just(HERE),
    locality=st.none() | st.just(LocalityClause(HERE)),
    separation=st.none() | st.builds(SeparationClause, SCOPES, st.just(HERE)),
    attestation=st.none() | ATTESTATIONS,
    provenance=st.lists(
        st.builds(ProvenanceClause, SIGNED, st.sampled_from([(), ("releases",), ("nobody",)]), st.just(HERE)),
        max_size=1,
    ).map(tuple),
    link_evidence=st.none()
    | st.builds(LinkEvidenceClause, st.sampled_from([("mtls",), ("tls", "mtls")]), st.just(HERE)),
    storage=st.none() | st.just(StorageClause(HERE)),
    pinned=st.none() | st.builds(PinnedClause, st.sampled_from([(FULL,), (NEXT,), (NEXT, FULL)]), st.just(HERE)),
)


def one_profile_more(policy: Policy, data: st.DataObject) -> Policy:
    """Another profile beside those that there are."""
    return replace(policy, compliance=(*policy.compliance, data.draw(PROFILES)))


def a_profile_covers_more(policy: Policy, data: st.DataObject) -> Policy:
    """A respect in which a scope was narrow, left out; or one more class that it is meant for.

    Not where it separates: whom a profile covers may be together, so that one that covers more separates less.
    """

    def wider(profile: ComplianceProfile) -> ComplianceProfile:
        scope = profile.scope
        if profile.separation:
            return profile
        change: dict[str, Any] = data.draw(
            st.sampled_from(
                [{"services": ()}, {"labels": ()}, {"stages": ()}, {"classes": (), "subjects": ()}, {"teams": ()}]
                + [{"classes": (*scope.classes, "voice")}] * bool(scope.classes)
            )
        )
        return replace(profile, scope=replace(scope, **change))

    return _one(policy, "compliance", wider, data)


def certifications_are_of_fewer_versions(policy: Policy, data: st.DataObject) -> Policy:
    """The first alternative alone, in versions that another bound admits, too."""
    bound = data.draw(BOUNDS)

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        clauses = (
            replace(clause, any_of=tuple(replace(each, bounds=(*each.bounds, bound)) for each in clause.any_of[:1]))
            for clause in profile.certifications
        )
        return replace(profile, certifications=tuple(clauses))

    return _one(policy, "compliance", stricter, data)


def more_versions_are_forbidden(policy: Policy, data: st.DataObject) -> Policy:
    """One bound of each forbidden standard less."""

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        clauses = (
            replace(clause, standard=replace(clause.standard, bounds=clause.standard.bounds[1:]))
            for clause in profile.forbidden
        )
        return replace(profile, forbidden=tuple(clauses))

    return _one(policy, "compliance", stricter, data)


def jurisdictions_are_fewer(policy: Policy, data: st.DataObject) -> Policy:
    """One of those that data may lie within, less."""

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        residency = profile.residency
        fewer = residency and replace(residency, within=_fewer(residency.within, data))
        return replace(profile, residency=fewer)

    return _one(policy, "compliance", stricter, data)


def links_are_better(policy: Policy, data: st.DataObject) -> Policy:
    """The strongest encryption."""

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        links = profile.link_security
        return replace(profile, link_security=links and replace(links, encryption=Encryption.MTLS))

    return _one(policy, "compliance", stricter, data)


def links_are_proven_to_be_better(policy: Policy, data: st.DataObject) -> Policy:
    """One of the ways in which they may be protected, less."""

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        proven = profile.link_evidence
        fewer = proven and replace(proven, standards=_fewer(proven.standards, data))
        return replace(profile, link_evidence=fewer)

    return _one(policy, "compliance", stricter, data)


def ways_to_buy_are_fewer(policy: Policy, data: st.DataObject) -> Policy:
    """One of those that nodes may be bought in, less."""

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        bought = profile.purchase
        return replace(profile, purchase=bought and replace(bought, among=_fewer(bought.among, data)))

    return _one(policy, "compliance", stricter, data)


def attestation_asks_for_more(policy: Policy, data: st.DataObject) -> Policy:
    """One claim or feature more, one environment or verifier less, or a shorter age."""
    fewer_tees, fewer_verifiers, age_s = data.draw(st.tuples(st.booleans(), st.booleans(), st.integers(1, 3000)))
    claims = data.draw(st.sampled_from([(), ("hardware",), ("executables",)]))
    devices = data.draw(st.sampled_from([(), ("secure-boot",)]))

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        clause = profile.attestation
        if clause is None:
            return profile
        stronger = replace(
            clause,
            tees=_fewer(clause.tees, data) if fewer_tees and clause.tees else clause.tees or ("tdx", "sev-snp"),
            claims=tuple({*clause.claims, *claims}),
            devices=tuple({*clause.devices, *devices}),
            verifiers=_fewer(clause.verifiers, data) if fewer_verifiers and clause.verifiers else clause.verifiers,
            max_age_s=min(clause.max_age_s or age_s, age_s),
            min_tier=AFFIRMING,
            nonce=True,
            tcb=clause.tcb if clause.tcb is None else replace(clause.tcb, statuses=clause.tcb.statuses[:1]),
        )
        return replace(profile, attestation=stronger)

    return _one(policy, "compliance", stricter, data)


def models_are_vouched_for_by_fewer(policy: Policy, data: st.DataObject) -> Policy:
    """One signer of each clause less, or a version that another bound admits, too."""
    bound = data.draw(st.builds(VersionBound, st.sampled_from(Comparison), st.sampled_from([(2,), (3,), (4,)])))
    narrower = data.draw(st.booleans())

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        clauses = (
            replace(clause, standard=replace(clause.standard, bounds=(*clause.standard.bounds, bound)))
            if narrower
            else replace(clause, signers=_fewer(clause.signers, data) if clause.signers else ("nobody",))
            for clause in profile.provenance
        )
        return replace(profile, provenance=tuple(clauses))

    return _one(policy, "compliance", stricter, data)


def pools_are_fewer(policy: Policy, data: st.DataObject) -> Policy:
    """Another clause on where a service may run."""
    names = st.lists(st.sampled_from([each.name for each in policy.pools] or ["none"]), min_size=1, unique=True)

    def stricter(service: Service) -> Service:
        clause = PoolsClause((), tuple(data.draw(names)), (), (), is_barred=data.draw(st.booleans()), place=HERE)
        return replace(service, pools=(*service.pools, clause))

    return _one(policy, "services", stricter, data)


def stages_stay_together(policy: Policy, data: st.DataObject) -> Policy:
    """All of a service's, at one site or in one pool."""

    def stricter(service: Service) -> Service:
        names = tuple(stage.name for stage in service.stages)
        clause = TogetherClause(names, data.draw(st.sampled_from(Within)), HERE)
        return replace(service, together=(*service.together, clause))

    return _one(policy, "services", stricter, data)


def a_pool_is_for_fewer(policy: Policy, data: st.DataObject) -> Policy:
    """For one service alone, where it is for all."""
    service = data.draw(st.sampled_from(["nobody", *(each.name for each in policy.services)]))

    def stricter(pool: Pool) -> Pool:
        return pool if pool.dedicated_to else replace(pool, dedicated_to=Scope(services=(service,)))

    changed = _one(policy, "pools", stricter, data)
    # a pool that is for fewer is one that others may be apart in
    return policy if any(profile.separation for profile in policy.compliance) else changed


def somebody_works_there(policy: Policy, data: st.DataObject) -> Policy:
    """Maintenance of one pool, at some time."""
    pools = st.sampled_from([each.name for each in policy.pools] or ["none"])
    from_s = data.draw(st.integers(500, 2500))
    window = Window(from_s, from_s + data.draw(st.integers(1, 400)), data.draw(st.sampled_from([0, 500])))
    return replace(
        policy, maintenance=(*policy.maintenance, Maintenance("work", (), (data.draw(pools),), window, HERE))
    )


def fewer_models_are_pinned(policy: Policy, data: st.DataObject) -> Policy:
    """One of the digests that are named less."""

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        clause = profile.pinned
        return replace(profile, pinned=clause and replace(clause, digests=_fewer(clause.digests, data)))

    return _one(policy, "compliance", stricter, data)


def latency_is_lower(policy: Policy, data: st.DataObject) -> Policy:
    """Each objective's limit, for all origins."""
    part = data.draw(st.sampled_from([1, 2, 10]))

    def stricter(service: Service) -> Service:
        return replace(
            service,
            latency=tuple(replace(item, below_us=item.below_us // part, origin="") for item in service.latency),
        )

    return _one(policy, "services", stricter, data)


def requests_cost_less(policy: Policy, data: st.DataObject) -> Policy:
    """A lower limit, or one where there was none."""
    below = data.draw(st.integers(0, 20))

    def stricter(service: Service) -> Service:
        least = min(service.cost.below_millicents if service.cost else below, below)
        return replace(service, cost=CostObjective(least, service.cost.requests if service.cost else 2000, HERE))

    return _one(policy, "services", stricter, data)


def accuracy_is_higher(policy: Policy, data: st.DataObject) -> Policy:
    """The floor."""
    more = data.draw(st.integers(0, 1_000_000))

    def stricter(service: Service) -> Service:
        floor = max(service.accuracy.floor_ppm if service.accuracy else 0, more)
        return replace(service, accuracy=AccuracyObjective(floor, HERE))

    return _one(policy, "services", stricter, data)


def more_places_are_asked_for(policy: Policy, data: st.DataObject) -> Policy:
    """One site more, or one node."""
    what = data.draw(st.sampled_from(["sites", "nodes"]))

    def stricter(service: Service) -> Service:
        stands = service.availability or AvailabilityObjective(1, 1, HERE)
        return replace(service, availability=replace(stands, **{what: getattr(stands, what) + 1}))

    return _one(policy, "services", stricter, data)


def one_instance_more_is_spared(policy: Policy, data: st.DataObject) -> Policy:
    """An instance more of each stage of a service than its load takes."""

    def stricter(service: Service) -> Service:
        stands = service.availability or AvailabilityObjective(1, 1, HERE)
        return replace(service, availability=replace(stands, spares=stands.spares + 1))

    return _one(policy, "services", stricter, data)


def a_site_may_be_lost(policy: Policy, data: st.DataObject) -> Policy:
    """A service survives any site."""

    def stricter(service: Service) -> Service:
        stands = service.availability or AvailabilityObjective(1, 1, HERE)
        return replace(service, availability=replace(stands, survives_any_site=True))

    return _one(policy, "services", stricter, data)


def ceilings_are_lower(policy: Policy, data: st.DataObject) -> Policy:
    """Each by one millicent, and one more."""
    site = data.draw(st.sampled_from(["", *(each.name for each in policy.sites)]))
    ceilings = tuple(
        replace(each, millicents_per_hour=max(0, each.millicents_per_hour - 1)) for each in policy.cost.ceilings
    )
    more = Ceiling(site, data.draw(st.integers(0, 200)), HERE)
    return replace(policy, cost=replace(policy.cost, ceilings=(*ceilings, more)))


def a_part_has_a_ceiling(policy: Policy, data: st.DataObject) -> Policy:
    """Of one service more, or of one team."""
    service = data.draw(st.sampled_from(policy.services))
    named = {"team": service.team} if service.team and data.draw(st.booleans()) else {"service": service.name}
    more = Ceiling("", data.draw(st.integers(0, 50)), HERE, **named)
    return replace(policy, cost=replace(policy.cost, ceilings=(*policy.cost.ceilings, more)))


def bounds_are_narrower(policy: Policy, data: st.DataObject) -> Policy:
    """One instance more at least, or less at most."""
    low, high = data.draw(st.sampled_from([(1, 0), (0, 1), (0, 0)]))
    bounds = tuple(
        replace(each, minimum=each.minimum + low, maximum=max(0, each.maximum - high)) for each in policy.scaling.bounds
    )
    return replace(policy, scaling=replace(policy.scaling, bounds=bounds))


def _fewer(words: tuple[Any, ...], data: st.DataObject) -> tuple[Any, ...]:
    """All but one of them, and at least one."""
    out = data.draw(st.integers(0, len(words) - 1))
    return words if len(words) == 1 else (*words[:out], *words[out + 1 :])


def _one(policy: Policy, field: str, change: Callable[[Any], Any], data: st.DataObject) -> Policy:
    """The policy with one entry of a list changed; as it is where the list is empty."""
    entries = list(getattr(policy, field))
    if not entries:
        return policy
    index = data.draw(st.integers(0, len(entries) - 1))
    entries[index] = change(entries[index])
    return replace(policy, **{field: tuple(entries)})


SCOPED: Final = {
    "certification",
    "forbidden_certification",
    "purchase",
    "attestation",
    "encryption_at_rest",
    "provenance",
    "pinned",
    "link_evidence",
}
WAYS: Final[dict[Callable[[Policy, st.DataObject], Policy], set[str]]] = {
    one_profile_more: {"certification", "served", "latency", "budget"},
    a_profile_covers_more: SCOPED,
    certifications_are_of_fewer_versions: {"certification"},
    more_versions_are_forbidden: {"forbidden_certification"},
    jurisdictions_are_fewer: {"residency"},
    links_are_better: {"link_security"},
    links_are_proven_to_be_better: {"link_evidence"},
    ways_to_buy_are_fewer: {"purchase"},
    pools_are_fewer: {"placement", "purchase"},
    stages_stay_together: {"together"},
    a_pool_is_for_fewer: {"purchase", "placement"},
    somebody_works_there: {"maintenance", "purchase"},
    attestation_asks_for_more: {"attestation"},
    models_are_vouched_for_by_fewer: {"provenance"},
    fewer_models_are_pinned: {"pinned"},
    latency_is_lower: {"latency"},
    requests_cost_less: {"unit_cost"},
    accuracy_is_higher: {"accuracy"},
    more_places_are_asked_for: {"availability"},
    one_instance_more_is_spared: {"spares"},
    a_site_may_be_lost: {"survival"},
    ceilings_are_lower: {"budget", "allocated_cost"},
    a_part_has_a_ceiling: {"allocated_cost", "unit_cost"},
    bounds_are_narrower: {"replica_bounds"},
}
"""Each with the rules in whose examples it has something to change."""
