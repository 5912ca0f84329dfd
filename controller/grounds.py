"""The evidence behind a clause: what there is now, of whom, that the clause goes by."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from collectors.evidence.records import ARTEFACT, Evidence
from policy.clauses import (
    AttestationClause,
    CertificationClause,
    ForbiddenClause,
    LinkEvidenceClause,
    ProvenanceClause,
    StorageClause,
)
from policy.findings import Place
from policy.resolved import Link, Model, Policy, Pool, Removal

ASKING = (CertificationClause, AttestationClause, StorageClause, ProvenanceClause, LinkEvidenceClause)
"""The kinds of clause that ask for evidence."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A piece of evidence that a clause goes by, until `expires_at` for this clause.

    `pool` is that which it is of, by itself, by its site or by a node; empty for evidence of variants and of links.
    """

    pool: str
    subject: str
    standard: str
    version: str
    expires_at: datetime
    place: Place


@dataclass(frozen=True, slots=True)
class About:
    """What evidence is looked for of."""

    pools: Sequence[Pool]
    models: Sequence[Model]
    links: Sequence[Link]


def everything(policy: Policy) -> About:
    """All that a policy knows."""
    return About(policy.pools, policy.models, policy.links)


def proofs(clause: object, about: About, policy: Policy, evidence: Sequence[Evidence]) -> tuple[Proof, ...]:
    """What there is of what a clause asks for or forbids, in whichever version where it names standards."""
    return tuple(_proofs(clause, about, policy, evidence))


def _proofs(clause: object, about: About, policy: Policy, evidence: Sequence[Evidence]) -> Iterator[Proof]:
    match clause:
        case CertificationClause():
            yield from _held({standard.name for standard in clause.any_of}, about.pools, evidence)
        case ForbiddenClause():
            yield from _held({clause.standard.name}, about.pools, evidence)
        case AttestationClause():
            yield from _attested(clause, about.pools, evidence)
        case StorageClause():
            yield from _held({clause.standard}, about.pools, evidence)
            attested = [item for item in evidence if item.attestation and clause.affirmed_by(item.attestation)]
            yield from _of_nodes(attested, about.pools)
        case ProvenanceClause():
            yield from _vouched_for(clause, about.models, policy, evidence)
        case LinkEvidenceClause():
            yield from _linked(clause, about.links, evidence)
        case Removal():
            yield from _removing(clause, about.models, policy, evidence)


def _linked(clause: LinkEvidenceClause, links: Sequence[Link], evidence: Sequence[Evidence]) -> Iterator[Proof]:
    names = {link.name for link in links}
    for item in evidence:
        if item.subject_kind == "link" and item.subject in names and item.standard in clause.standards:
            yield _proof(item)


def _held(standards: set[str], pools: Sequence[Pool], evidence: Sequence[Evidence]) -> Iterator[Proof]:
    for pool in pools:
        for item in evidence:
            is_its = (item.subject_kind, item.subject) in {("pool", pool.name), ("site", pool.site)}
            if is_its and item.attestation is None and item.standard in standards:
                yield _proof(item, pool.name)


def _attested(clause: AttestationClause, pools: Sequence[Pool], evidence: Sequence[Evidence]) -> Iterator[Proof]:
    for item in evidence:
        said = item.attestation
        if said and clause.met_by(said):
            since = said.nonce_at if clause.nonce and said.nonce_at else said.appraised_at
            aged = since + timedelta(seconds=clause.max_age_s) if clause.max_age_s else item.expires_at
            yield from _of_nodes([item], pools, until=min(item.expires_at, aged))


def _of_nodes(evidence: Iterable[Evidence], pools: Sequence[Pool], *, until: datetime | None = None) -> Iterator[Proof]:
    """Results of the pools, of their sites and of their nodes."""
    for item in evidence:
        for pool in pools:
            nodes = (("node", name) for name in pool.node_subjects())
            if (item.subject_kind, item.subject) in {("pool", pool.name), ("site", pool.site), *nodes}:
                yield _proof(item, pool.name, until=until)


def _vouched_for(
    clause: ProvenanceClause, models: Sequence[Model], policy: Policy, evidence: Sequence[Evidence]
) -> Iterator[Proof]:
    signers = {issuer.iss: issuer.name for issuer in policy.issuers}
    for model in models:
        for variant in model.variants:
            for item in evidence:
                is_its = (item.subject_kind, item.subject) == (ARTEFACT, variant.digest)
                if is_its and clause.met_by(signers.get(item.issuer, ""), item.standard, item.version):
                    yield _proof(item, of=f"{model.name}/{variant.name}")


def _removing(
    clause: Removal, models: Sequence[Model], policy: Policy, evidence: Sequence[Evidence]
) -> Iterator[Proof]:
    """Statements of those who may that a variant's output does not carry on some of what is removed."""
    signers = {issuer.iss: issuer.name for issuer in policy.issuers}
    for model in models:
        for variant in model.variants:
            for item in evidence:
                is_its = (item.subject_kind, item.subject) == (ARTEFACT, variant.digest)
                may = not clause.verifiers or signers.get(item.issuer, "") in clause.verifiers
                if is_its and may and not clause.data.isdisjoint(item.removes):
                    yield _proof(item, of=f"{model.name}/{variant.name}")


def _proof(item: Evidence, pool: str = "", *, of: str = "", until: datetime | None = None) -> Proof:
    version = ".".join(map(str, item.version))
    subject = of or f"{item.subject_kind} {item.subject}"
    return Proof(pool, subject, item.standard, version, until or item.expires_at, item.place)
