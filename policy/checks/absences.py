"""What a policy lacks, judged only when every document could be read: it is often a slip."""

from collections.abc import Iterator
from dataclasses import replace

from policy.catalogue import error, warning
from policy.clauses import ATTESTATION, ComplianceProfile, Scope
from policy.environments import OPTION
from policy.findings import Finding, Place
from policy.resolved import Policy, Service
from policy.words import shown, suggestion


def absences(policy: Policy) -> list[Finding]:
    """Warnings for what has no effect or cannot work, and an error when nothing is asked for."""
    services = (finding for service in policy.services for finding in _objectives(service))
    return [
        *services,
        *_stages(policy),
        *_nothing_asked(policy),
        *_covering_nothing(policy),
        *_jurisdictions(policy),
        *_claimed_by_nobody(policy),
        *_attested_by_nobody(policy),
        *_encrypted_by_nobodys_word(policy),
        *_vouched_for_by_nobody(policy),
        *_links_proven_by_nobody(policy),
    ]


def _nothing_asked(policy: Policy) -> Iterator[Finding]:
    if not policy.services:
        place = Place(next((name for name, _ in policy.documents if name != OPTION), "."), 1, 1)
        message = "no document declares a Service, and a fleet without one would be unloaded"
        yield error("GW0309", place, message, "add one; to empty a fleet, stop its controller and unload by hand")


def _objectives(service: Service) -> Iterator[Finding]:
    promised = [bool(service.end_to_end_from(origin.site)) for origin in service.origins]
    for origin, is_promised in zip(service.origins, promised, strict=True):
        if any(promised) and not is_promised:
            message = f"`{service.name}` has no end-to-end latency objective for {origin.site}: any path will do"
            yield warning("GW0307", origin.place, message, f"add `- latency: {{…, origin: {origin.site}}}`")
    if not any(promised):
        message = f"`{service.name}` has no end-to-end latency objective, so any path will do"
        yield warning("GW0307", service.place, message, "add `- latency: {percentile: 99, below: …}` to its objectives")


def _stages(policy: Policy) -> Iterator[Finding]:
    known = {model.name for model in policy.models}
    used = {pool.device for pool in policy.pools}
    runnable = {profile.model for device in policy.devices if device.device in used for profile in device.variants}
    for stage in (stage for service in policy.services for stage in service.stages):
        if stage.model in known and stage.model not in runnable:
            message = f"no pool's DeviceProfile has a variant of `{stage.model}`, so stage `{stage.name}` cannot run"
            yield warning("GW0312", stage.place, message, "add the profile of a variant to the device of a pool")


def _covering_nothing(policy: Policy) -> Iterator[Finding]:
    for profile in policy.compliance:
        if not any(profile.covered(service) for service in policy.services):
            hint = _nearest(policy, profile.scope)
            yield warning("GW0306", profile.place, f"the profile `{profile.name}` covers no service", hint)
        else:
            yield from _words_for_nothing(policy, profile)


def _words_for_nothing(policy: Policy, profile: ComplianceProfile) -> Iterator[Finding]:
    """Words beside others that fit, without which the profile covers what it does."""
    scope = profile.scope
    for name in ("classes", "subjects", "teams", "services", "stages"):
        for word in getattr(scope, name):
            alone = replace(scope, **{name: (word,)})
            if name in ("classes", "subjects"):
                alone = replace(alone, **{"classes": (), "subjects": ()} | {name: (word,)})
            if not any(alone.covered(service) for service in policy.services):
                message = f"{shown(word)} among the {name} of `{profile.name}` covers nothing"
                hint = "mend the word; what it was meant for is not covered"
                yield warning("GW0334", profile.place, message, hint)


def _nearest(policy: Policy, scope: Scope) -> str:
    """What a scope that fits nothing may have meant: the first of its words that no service has."""
    services = policy.services
    for words, stated, where in (
        (
            (*scope.classes, *scope.subjects),
            {datum.word for each in services for datum in each.carried},
            "state the classes and subjects of the data in the services",
        ),
        (
            [f"{key}: {value}" for key, value in scope.labels],
            {f"{key}: {value}" for each in services for key, value in each.labels},
            "give a service that label",
        ),
        (scope.teams, {each.team for each in services if each.team}, "name the team in a service"),
        (scope.stages, {stage.name for each in services for stage in each.stages}, "name a stage of a service"),
    ):
        strange = [word for word in words if word not in stated]
        if strange:
            return f"no service has {shown(strange[0])}: {suggestion(strange[0], stated, where)}"
    return "each part of `appliesTo` fits some service, and no service fits them all: take one away"


def _jurisdictions(policy: Policy) -> Iterator[Finding]:
    sites = {name for site in policy.sites for name in site.jurisdictions}
    known = sites | {name for link in policy.links for name in link.transit}
    for profile in policy.compliance:
        for name in profile.residency.within if profile.residency else ():
            if profile.residency and name not in known:
                hint = suggestion(name, known, "add it to the `jurisdictions` of the sites that lie there")
                message = f"no site lies in {shown(name)} and no link crosses it"
                yield warning("GW0313", profile.residency.place, message, hint)


def _claimed_by_nobody(policy: Policy) -> Iterator[Finding]:
    """Standards that no issuer may certify: they are never held, which a clause of `noneOf` does not notice."""
    claimed = {standard for issuer in policy.issuers for standard in issuer.standards}
    for profile in policy.compliance if policy.issuers else ():
        asked = [(standard.name, clause.place) for clause in profile.certifications for standard in clause.any_of]
        asked += [(clause.standard.name, clause.place) for clause in profile.forbidden]
        for name, place in asked:
            if name not in claimed:
                message = f"no Issuer may certify {shown(name)}, so it is never held"
                hint = suggestion(name, claimed, "add it to the `claims` of an Issuer")
                yield warning("GW0335", place, message, hint)


def _encrypted_by_nobodys_word(policy: Policy) -> Iterator[Finding]:
    """Encryption at rest that no issuer may state or attest, in a policy that believes signatures alone."""
    claimed = {standard for issuer in policy.issuers for standard in issuer.standards}
    for profile in policy.compliance if policy.issuers else ():
        clause = profile.storage
        if clause and claimed.isdisjoint({clause.standard, ATTESTATION}):
            message = f"no Issuer may certify {shown(clause.standard)} or attest it, so it is never held"
            hint = f"add `{clause.standard}` or `{ATTESTATION}` to the `claims` of an Issuer"
            yield warning("GW0335", clause.place, message, hint)


def _vouched_for_by_nobody(policy: Policy) -> Iterator[Finding]:
    """Provenance that no issuer, or none of those that are named, may state of any model."""
    for profile in policy.compliance:
        for clause in profile.provenance:
            name = clause.standard.name
            may = {issuer.name for issuer in policy.issuers if name in issuer.standards and issuer.models}
            if not may & set(clause.signers or may):
                who = "none of the Issuers named" if clause.signers else "no Issuer"
                hint = f"add `{name}` to `claims.standards` of an Issuer, and the models to its `claims.models`"
                yield warning(
                    "GW0421", clause.place, f"{who} may state `{name}` of a model, so no variant serves", hint
                )


def _links_proven_by_nobody(policy: Policy) -> Iterator[Finding]:
    """Evidence of links that no issuer may give, in a policy that believes signatures alone."""
    for profile in policy.compliance if policy.issuers else ():
        clause = profile.link_evidence
        if clause and not any(each.links and set(each.standards) & set(clause.standards) for each in policy.issuers):
            what = " or ".join(f"`{each}`" for each in clause.standards)
            hint = "add the standard to `claims.standards` of an Issuer, and the links to its `claims.links`"
            yield warning("GW0421", clause.place, f"no Issuer may state {what} of a link, so none is proven", hint)


def _attested_by_nobody(policy: Policy) -> Iterator[Finding]:
    """Attestation that no issuer, or none of those that are named, may give."""
    attesting = {issuer.name for issuer in policy.issuers if ATTESTATION in issuer.standards}
    for profile in policy.compliance:
        clause = profile.attestation
        may = attesting & set((clause and clause.verifiers) or attesting)
        if clause and not may:
            who = "none of the `verifiers`" if clause.verifiers else "no Issuer"
            message = f"{who} may give `{ATTESTATION}`, so nothing is ever attested"
            yield warning(
                "GW0420", clause.place, message, f"add `{ATTESTATION}` to the `claims.standards` of an Issuer"
            )
        elif clause and clause.nonce and not any(each.nonces for each in policy.issuers if each.name in may):
            message = "the clause asks for a nonce and no Issuer has `nonces`, so nothing is ever attested"
            yield warning("GW0420", clause.place, message, "make one for each pool: `gridwright evidence nonce`")
