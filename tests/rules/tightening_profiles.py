"""Ways to ask for more by compliance profiles, as `tightening` has them of everything else."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from policy.clauses import (
    AFFIRMING,
    Comparison,
    ComplianceProfile,
    VersionBound,
)
from policy.resolved import (
    Encryption,
    Fidelity,
    Policy,
)
from tests.rules.drawn_profiles import (
    BOUNDS,
    PROFILES,
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

    return one_changed(policy, "compliance", wider, data)


def certifications_are_of_fewer_versions(policy: Policy, data: st.DataObject) -> Policy:
    """The first alternative alone, in versions that another bound admits, too."""
    bound = data.draw(BOUNDS)

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        clauses = (
            replace(clause, any_of=tuple(replace(each, bounds=(*each.bounds, bound)) for each in clause.any_of[:1]))
            for clause in profile.certifications
        )
        return replace(profile, certifications=tuple(clauses))

    return one_changed(policy, "compliance", stricter, data)


def more_versions_are_forbidden(policy: Policy, data: st.DataObject) -> Policy:
    """One bound of each forbidden standard less."""

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        clauses = (
            replace(clause, standard=replace(clause.standard, bounds=clause.standard.bounds[1:]))
            for clause in profile.forbidden
        )
        return replace(profile, forbidden=tuple(clauses))

    return one_changed(policy, "compliance", stricter, data)


def jurisdictions_are_fewer(policy: Policy, data: st.DataObject) -> Policy:
    """One of those that data may lie within, less."""

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        residency = profile.residency
        fewer = residency and replace(residency, within=all_but_one(residency.within, data))
        return replace(profile, residency=fewer)

    return one_changed(policy, "compliance", stricter, data)


def links_are_better(policy: Policy, data: st.DataObject) -> Policy:
    """The strongest encryption."""

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        links = profile.link_security
        return replace(profile, link_security=links and replace(links, encryption=Encryption.MTLS))

    return one_changed(policy, "compliance", stricter, data)


def links_are_proven_to_be_better(policy: Policy, data: st.DataObject) -> Policy:
    """One of the ways in which they may be protected, less."""

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        proven = profile.link_evidence
        fewer = proven and replace(proven, standards=all_but_one(proven.standards, data))
        return replace(profile, link_evidence=fewer)

    return one_changed(policy, "compliance", stricter, data)


def ways_to_buy_are_fewer(policy: Policy, data: st.DataObject) -> Policy:
    """One of those that nodes may be bought in, less."""

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        bought = profile.purchase
        return replace(profile, purchase=bought and replace(bought, among=all_but_one(bought.among, data)))

    return one_changed(policy, "compliance", stricter, data)


def payloads_are_truer(policy: Policy, data: st.DataObject) -> Policy:
    """Sent as it is, what might be packed before."""

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        clause = profile.payloads
        return replace(profile, payloads=clause and replace(clause, fidelity=Fidelity.VERBATIM))

    return one_changed(policy, "compliance", stricter, data)


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
            tees=all_but_one(clause.tees, data) if fewer_tees and clause.tees else clause.tees or ("tdx", "sev-snp"),
            claims=tuple({*clause.claims, *claims}),
            devices=tuple({*clause.devices, *devices}),
            verifiers=all_but_one(clause.verifiers, data) if fewer_verifiers and clause.verifiers else clause.verifiers,
            max_age_s=min(clause.max_age_s or age_s, age_s),
            min_tier=AFFIRMING,
            nonce=True,
            tcb=clause.tcb if clause.tcb is None else replace(clause.tcb, statuses=clause.tcb.statuses[:1]),
        )
        return replace(profile, attestation=stronger)

    return one_changed(policy, "compliance", stricter, data)


def models_are_vouched_for_by_fewer(policy: Policy, data: st.DataObject) -> Policy:
    """One signer of each clause less, or a version that another bound admits, too."""
    bound = data.draw(st.builds(VersionBound, st.sampled_from(Comparison), st.sampled_from([(2,), (3,), (4,)])))
    narrower = data.draw(st.booleans())

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        clauses = (
            replace(clause, standard=replace(clause.standard, bounds=(*clause.standard.bounds, bound)))
            if narrower
            else replace(clause, signers=all_but_one(clause.signers, data) if clause.signers else ("nobody",))
            for clause in profile.provenance
        )
        return replace(profile, provenance=tuple(clauses))

    return one_changed(policy, "compliance", stricter, data)


def fewer_models_are_pinned(policy: Policy, data: st.DataObject) -> Policy:
    """One of the digests that are named less."""

    def stricter(profile: ComplianceProfile) -> ComplianceProfile:
        clause = profile.pinned
        return replace(profile, pinned=clause and replace(clause, digests=all_but_one(clause.digests, data)))

    return one_changed(policy, "compliance", stricter, data)


def all_but_one(words: tuple[Any, ...], data: st.DataObject) -> tuple[Any, ...]:
    """All but one of them, and at least one."""
    out = data.draw(st.integers(0, len(words) - 1))
    return words if len(words) == 1 else (*words[:out], *words[out + 1 :])


def one_changed(policy: Policy, field: str, change: Callable[[Any], Any], data: st.DataObject) -> Policy:
    """The policy with one entry of a list changed; as it is where the list is empty."""
    entries = list(getattr(policy, field))
    if not entries:
        return policy
    index = data.draw(st.integers(0, len(entries) - 1))
    entries[index] = change(entries[index])
    return replace(policy, **{field: tuple(entries)})
