"""What a tiny problem asks of compliance, and what is held there: drawn from its seed."""

from dataclasses import replace
from typing import Final

from dice import Dice

from policy.clauses import (
    AFFIRMING,
    DATA_REMOVAL,
    ENCRYPTED_AT_REST,
    OPAQUE_STORAGE,
    SLSA,
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
    Tcb,
    TcbClause,
    VersionBound,
)
from policy.data_flow import NO_DATA, Datum, Reads
from policy.findings import Place
from policy.resolved import Encryption, Model, Pool, Purchase, Removal, Service, Variant
from rules.kernel.evidence import Attested, Held, Vouched
from rules.kernel.problem import Problem

HERE: Final = Place("generated", 1, 1)
FROM_4: Final = VersionBound(Comparison.AT_LEAST, (4,))
RANGES: Final[tuple[tuple[VersionBound, ...], ...]] = (
    (),
    (FROM_4,),
    (VersionBound(Comparison.AT_LEAST, (4, 0)),),
    (FROM_4, VersionBound(Comparison.BELOW, (4, 0, 1))),
    (VersionBound(Comparison.ABOVE, (4, 0)),),
    (VersionBound(Comparison.AT_MOST, (4,)),),
    (VersionBound(Comparison.EXACTLY, (4,)),),
)
OTHER: Final = "iso-27001"
CARD: Final = Datum("class", "card")
OTHERS: Final = (Scope(), Scope(services=("svc1",)))
TCBS: Final = (Tcb("UpToDate"), Tcb(versions=(("snp", 24),)), Tcb(versions=(("snp", 23),)))
AGE_S: Final = 1_000
"""The age at which an attestation result is too old, where a clause says when."""
BOUGHT: Final = ((Purchase.OWNED,), (Purchase.OWNED, Purchase.SPOT), (Purchase.ON_DEMAND,))


def profile(dice: Dice) -> ComplianceProfile:
    """What is asked for the class `card`, sometimes for one stage of it alone."""
    asked = CertificationClause(
        (Standard("pci-dss", dice.one(RANGES)), *((Standard(OTHER),) if dice.says(0.3) else ())), HERE
    )
    return ComplianceProfile(
        name="cards",
        scope=Scope(classes=("card",), stages=dice.one(((), (), ("det",), ("rec",)))),
        certifications=(asked,) if dice.says(0.3) else (),
        forbidden=(ForbiddenClause(Standard(OTHER, dice.one(RANGES)), HERE),) if dice.says(0.15) else (),
        residency=ResidencyClause(dice.one((("EU",), ("FR", "EU"), ("US",))), HERE) if dice.says(0.3) else None,
        link_security=LinkSecurityClause(dice.one(tuple(Encryption)), HERE) if dice.says(0.3) else None,
        purchase=PurchaseClause(dice.one(BOUGHT), HERE) if dice.says(0.15) else None,
        place=HERE,
        locality=LocalityClause(HERE) if dice.says(0.1) else None,
        separation=SeparationClause(dice.one(OTHERS), HERE) if dice.says(0.15) else None,
    )


def attested(dice: Dice, problem: Problem) -> Problem:
    """The problem with attestation asked for now and then, and with results of some sites and pools.

    Its dice are its own: what else is drawn from a seed stays the same.
    """
    policy = problem.policy
    profiles = tuple(
        replace(each, attestation=_attestation(dice)) if dice.says(0.15) else each for each in policy.compliance
    )
    sites = tuple(site.name for site in policy.sites)
    results = _results(dice, policy.pools, sites, range(problem.now_s, problem.needed_until_s))
    return replace(problem, policy=replace(policy, compliance=profiles), attestations=results)


def signed(dice: Dice, problem: Problem) -> Problem:
    """The problem with provenance asked for now and then, and with somebody's word on some of its variants.

    Its dice are its own, too.
    """
    policy = problem.policy
    names = sorted({(option.placement.model, option.placement.variant) for option in problem.options})
    models = tuple(
        Model(
            model,
            tuple(Variant(each, f"sha256:{of}-{each}", each, 1, 1, HERE) for of, each in names if of == model),
            HERE,
        )
        for model in sorted({model for model, _ in names})
    )
    profiles = tuple(
        replace(each, provenance=(_provenance(dice),)) if dice.says(0.15) else each for each in policy.compliance
    )
    word = tuple(
        Vouched(
            f"sha256:{model}-{variant}",
            dice.one(("releases", "other")),
            SLSA,
            (dice.one((2, 3, 4)),),
            0,
            problem.needed_until_s - dice.one((0, 0, 1)),
        )
        for model, variant in names
        if dice.says(0.7)
    )
    return replace(problem, policy=replace(policy, models=models, compliance=profiles), provenances=word)


def kept(dice: Dice, problem: Problem) -> Problem:
    """The problem with encryption at rest asked for now and then, and digests named; its dice are its own."""
    policy = problem.policy
    digests = sorted(variant.digest for model in policy.models for variant in model.variants)
    profiles = tuple(
        replace(
            each,
            storage=StorageClause(HERE) if dice.says(0.15) else None,
            pinned=PinnedClause(tuple(name for name in digests if dice.says(0.7)) or ("sha256:0",), HERE)
            if dice.says(0.15)
            else None,
        )
        for each in policy.compliance
    )
    subjects = [("site", site.name) for site in policy.sites] + [("pool", pool.name) for pool in policy.pools]
    stated = tuple(
        Held(kind, name, ENCRYPTED_AT_REST, (1,), 0, problem.needed_until_s - dice.one((0, 0, 1)))
        for kind, name in subjects
        if dice.says(0.4)
    )
    return replace(
        problem,
        policy=replace(policy, compliance=profiles),
        certifications=(*problem.certifications, *stated),
        attestations=tuple(
            replace(each, claims=(*each.claims, OPAQUE_STORAGE)) if dice.says(0.4) else each
            for each in problem.attestations
        ),
    )


def proven(dice: Dice, problem: Problem) -> Problem:
    """The problem with evidence of links asked for now and then, and with some that is stated; its dice are its own."""
    policy = problem.policy
    links = tuple(replace(each, name=f"{each.a}-{each.b}") for each in policy.links)
    profiles = tuple(
        replace(each, link_evidence=LinkEvidenceClause(dice.one((("mtls",), ("tls", "mtls"))), HERE))
        if dice.says(0.15)
        else each
        for each in policy.compliance
    )
    stated = tuple(
        Held("link", each.name, dice.one(("tls", "mtls")), (1, 3), 0, problem.needed_until_s - dice.one((0, 0, 1)))
        for each in links
        if dice.says(0.7)
    )
    return replace(
        problem,
        policy=replace(policy, links=links, compliance=profiles),
        certifications=(*problem.certifications, *stated),
    )


def flowing(dice: Dice, problem: Problem) -> Problem:
    """The problem with data that flows now and then: some stages add or remove card data, some read outputs alone.

    Its dice are its own, too.
    """
    policy = problem.policy
    services = tuple(_flowing(dice, each) if dice.says(0.3) else each for each in policy.services)
    digests = [each.digest for model in policy.models for each in model.variants]
    word = tuple(
        Vouched(
            digest,
            dice.one(("lab", "other")),
            DATA_REMOVAL,
            (1,),
            0,
            problem.needed_until_s - dice.one((0, 0, 0, 1)),
            dice.one(((CARD,), (CARD, Datum("subject", "EU")), (Datum("class", "voice"),))),
        )
        for digest in digests
        if dice.says(0.9)
    )
    return replace(problem, policy=replace(policy, services=services), provenances=(*problem.provenances, *word))


def _flowing(dice: Dice, service: Service) -> Service:
    """Each stage after the one before it, as it is drawn."""
    stages = tuple(
        replace(
            stage,
            after=tuple(before.name for before in service.stages[:number]),
            reads=dice.one((Reads.EVERYTHING, Reads.OUTPUTS, Reads.OUTPUTS)) if number else Reads.EVERYTHING,
            adds=dice.one((NO_DATA, NO_DATA, NO_DATA, frozenset({CARD}))),
            removes=Removal(frozenset({CARD}), dice.one(((), (), ("lab",))), HERE) if dice.says(0.8) else None,
        )
        for number, stage in enumerate(service.stages)
    )
    return replace(service, stages=stages)


def _provenance(dice: Dice) -> ProvenanceClause:
    least = VersionBound(Comparison.AT_LEAST, (dice.one((2, 3)),))
    return ProvenanceClause(Standard(SLSA, (least,)), dice.one(((), (), ("releases",))), HERE)


def _attestation(dice: Dice) -> AttestationClause:
    return AttestationClause(
        tees=dice.one(((), ("sev-snp",), ("sev-snp", "tdx"))),
        claims=dice.one(((), ("hardware",))),
        devices=(),
        verifiers=dice.one(((), ("trustee",))),
        max_age_s=dice.one((0, 0, AGE_S)),
        place=HERE,
        min_tier=dice.one((AFFIRMING, AFFIRMING, WARNING)),
        tcb=dice.one((None, None, TcbClause(("UpToDate",), (("snp", 24),)))),
        nonce=dice.says(0.3),
    )


def _results(dice: Dice, pools: tuple[Pool, ...], sites: tuple[str, ...], span_s: range) -> tuple[Attested, ...]:
    """Some for the whole span, some that end or grow too old a second early."""
    subjects = [("site", name) for name in sites] + [("pool", pool.name) for pool in pools]
    subjects += [("node", node) for pool in pools for node in pool.node_subjects()]
    return tuple(
        Attested(
            kind,
            name,
            dice.one(("trustee", "other")),
            dice.one(((), ("sev-snp",), ("tdx",))),
            dice.one((("hardware",), ("executables", "hardware"), ())),
            (),
            span_s.stop - AGE_S - dice.one((0, 0, 1)),
            0,
            span_s.stop - dice.one((0, 0, 1)),
            dice.one((AFFIRMING, AFFIRMING, WARNING)),
            dice.one((*((tcb,) for tcb in TCBS), TCBS, ())),
            dice.one((None, span_s.stop - AGE_S, span_s.stop - AGE_S - 1)),
        )
        for kind, name in subjects
        if dice.says(0.6 if kind == "node" else 0.3)
    )


def certifications(dice: Dice, pools: tuple[Pool, ...], sites: tuple[str, ...], span_s: range) -> tuple[Held, ...]:
    """Some for the whole span, some that end a second early, some in two parts with or without a gap."""
    subjects = [("site", name) for name in sites] + [("pool", pool.name) for pool in pools]
    found: list[Held] = []
    for kind, name in subjects:
        middle, end = span_s.start + dice.within(1, len(span_s) - 1), span_s.stop - dice.one((0, 0, 1))
        version = dice.one(((3, 2), (4,), (4, 0, 1)))
        spans = dice.one((((0, end),), ((0, middle), (middle, end)), ((0, middle), (middle + 1, end))))
        found += [Held(kind, name, "pci-dss", version, *span) for span in spans if dice.says(0.7)]
        if dice.says(0.2):
            found.append(Held(kind, name, OTHER, version, dice.one((0, middle, span_s.stop)), dice.one((middle, end))))
    return tuple(found)
