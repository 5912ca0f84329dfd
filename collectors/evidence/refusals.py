"""Why a signed statement does not count: each reason once, as the finding that tells it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from policy.catalogue import error, warning
from policy.findings import Finding, Level, Place
from policy.resolved import Issuer, Revoked
from policy.words import shown, suggestion

_ASK: Final = "ask the issuer for a new statement"


class RefusedError(Exception):
    """A statement does not count, for the reason in `finding`. It never leaves the functions that verify."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def unsigned(place: Place) -> Finding:
    """A document that anybody may have written, beside a policy that names issuers."""
    message = "the evidence is not signed, and the policy has an Issuer, so only signed statements count"
    return error("GW0403", place, message, "have the issuer sign it: `gridwright evidence sign`")


def unknown_issuer(place: Place, iss: object, known: Iterable[Issuer]) -> Finding:
    """A statement of nobody whom the policy names."""
    hint = suggestion(str(iss), (issuer.iss for issuer in known), "declare the issuer in a document of kind Issuer")
    return error("GW0404", place, f"no Issuer of the policy is called {shown(iss)}", hint)


def unknown_key(place: Place, kid: object, issuer: Issuer) -> Finding:
    """A statement that names a key of its own, or none where the issuer has several."""
    message = f"`{issuer.name}` has no key {shown(kid)}" if kid is not None else "the header names no key (`kid`)"
    hint = suggestion(str(kid), (key.kid for key in issuer.keys if key.kid), "leave `kid` out: the issuer has one key")
    return error("GW0405", place, message, hint)


def not_allowed(place: Place, issuer: Issuer, algorithm: object) -> Finding:
    """An algorithm that the issuer does not sign by."""
    hint = f"have it signed with one of {', '.join(issuer.algorithms)}, which the issuer's document allows"
    if not issuer.algorithms:
        hint = "give the issuer's document `keys` and `algorithms`: it has certificates alone"
    return _weak(place, f"the algorithm {shown(algorithm)} is not allowed", hint)


def unfit(place: Place, reason: str) -> Finding:
    """A key that is weak, or not of the algorithm's kind."""
    return _weak(
        place, reason, "have it signed with a key that its algorithm is for; of RSA keys one of 2048 bits or more"
    )


def _weak(place: Place, reason: str, hint: str) -> Finding:
    return error("GW0406", place, f"the signature cannot be relied on: {reason}", hint)


def bad_signature(place: Place, issuer: Issuer) -> Finding:
    """A statement that was changed, or signed by somebody else."""
    message = f"the signature is not one of `{issuer.name}` under this statement"
    hint = f"{_ASK}; a key or certificate in the statement's own header is never used"
    return error("GW0407", place, message, hint)


def ended(place: Place, at: datetime) -> Finding:
    """A statement whose time is over."""
    return error("GW0408", place, f"the statement ended at {at.isoformat()}", _ASK)


def not_yet(place: Place, at: datetime) -> Finding:
    """A statement whose time has not come, for which nobody has to do anything."""
    message = f"the statement begins at {at.isoformat()}"
    return Finding("GW0409", Level.INFO, message, "nothing to do: it counts from then on", place)


def from_the_future(place: Place, at: datetime, skew: timedelta) -> Finding:
    """A statement that was issued later than now, by more than clocks may differ."""
    message = f"the statement was issued at {at.isoformat()}, more than {skew.total_seconds():g} s from now"
    return error("GW0410", place, message, "compare the clock of the issuer with this one")


def too_old(place: Place, at: datetime, issuer: Issuer) -> Finding:
    """A statement that was issued longer ago than the issuer is believed for."""
    message = f"the statement was issued at {at.isoformat()}, and `{issuer.name}` is believed for {issuer.max_age_s} s"
    return error("GW0411", place, message, _ASK)


def wrong_audience(place: Place, audience: object, issuer: Issuer) -> Finding:
    """A statement for somebody else."""
    expected = f"`aud` {shown(issuer.audience)}" if issuer.audience else "no `aud`, as its Issuer names no `audience`"
    message = f"the statement is for {shown(audience)}" if audience is not None else "the statement is for nobody"
    return error("GW0412", place, message, f"have it issued with {expected}")


def subject_not_allowed(place: Place, kind: str, name: str, issuer: Issuer) -> Finding:
    """A statement about a subject that the issuer may not speak of."""
    hint = suggestion(name, issuer.may_speak_of(kind), f"add it to `claims.{kind}s` of the Issuer, if it may")
    return error("GW0413", place, f"`{issuer.name}` may not speak of the {kind} {shown(name)}", hint)


def claim_not_allowed(place: Place, standard: str, issuer: Issuer) -> Finding:
    """A statement of a standard that the issuer may not certify."""
    hint = suggestion(standard, issuer.standards, "add it to `claims.standards` of the Issuer, if it may")
    return error("GW0414", place, f"`{issuer.name}` may not certify {shown(standard)}", hint)


def replayed(place: Place, jti: str, other: Place) -> Finding:
    """One of several statements that go by the same number."""
    message = f"the `jti` {shown(jti)} stands in another statement too, at {other}, so none counts"
    return error("GW0415", place, message, "keep the one that the issuer says is right; each needs its own `jti`")


def malformed(place: Place, reason: str) -> Finding:
    """Something that is no such statement at all."""
    hint = "docs/evidence.md tells what stands in a statement; `gridwright evidence sign` writes one"
    return error("GW0416", place, f"the statement is malformed: {reason}", hint)


def revoked(place: Place, issuer: Issuer, entry: Revoked) -> Finding:
    """A statement that the policy says counts no more."""
    message = f"the {entry.kind} {shown(entry.name)} of `{issuer.name}` is revoked, at {entry.place}"
    return error("GW0430", place, message, "take the file out, and have a new statement issued where one is due")


def not_read(place: Place, endings: Iterable[str]) -> Finding:
    """A file that lies among the evidence and is none, by its name."""
    hint = f"rename it if it is evidence, or take it out; names that are read end with {', '.join(endings)}"
    return warning("GW0441", place, "nothing reads the file, as its name ends like none of evidence", hint)


def embellished(place: Place, part: str, status: str, worst: str) -> Finding:
    """An attestation result that sums up its claims as better than they are."""
    message = f"{shown(part)} is {worst} by its claims, and its status says {status}"
    return error("GW0417", place, message, "do not rely on this verifier until it is known why it says so")


def not_affirmed(place: Place, part: str, reason: str) -> Finding:
    """An attestation result that trusts something less than fully, or says nothing of it."""
    hint = "see why the verifier does not affirm it, and have it attested again"
    return error("GW0418", place, f"{shown(part)} is not affirmed: {reason}", hint)


def warned(place: Place) -> Finding:
    """An attestation result of which the verifier warns."""
    message = "the verifier warns of a part, so the result counts only where a profile takes that"
    return warning("GW0442", place, message, "see what it warns of; `minTier: warning` of a clause takes such results")


def other_nonce(place: Place, kind: str, name: str) -> Finding:
    """An attestation result that answers an older question, or somebody else's."""
    message = f"the result's nonce is none of those that are given out for the {kind} {shown(name)}"
    hint = "have it attested anew with the present nonce, or take the result out: it may be an old one that came back"
    return error("GW0443", place, message, hint)


def before_its_nonce(place: Place, at: datetime, issued_at: datetime) -> Finding:
    """An attestation result that says to be older than the nonce in it."""
    message = f"the result was issued at {at.isoformat()}, before its nonce was given out at {issued_at.isoformat()}"
    return error("GW0444", place, message, "compare the clock of the verifier with the one that the nonce was made by")


def unbound(place: Place) -> Finding:
    """An attestation result that is right and of no use yet: nothing says which site or pool it is about."""
    message = "the attestation result is verified and permits nothing, as it names no site and no pool"
    return warning("GW0419", place, message, "have an issuer state what follows from it: `gridwright evidence sign`")


def no_envelope(place: Place, reason: str) -> Finding:
    """Something that is no signed envelope at all."""
    hint = "give a DSSE envelope or a Sigstore bundle, as `model_signing sign` or `cosign attest-blob --statement` does"
    return error("GW0422", place, f"the signed statement is malformed: {reason}", hint)


def no_key_fits(place: Place) -> Finding:
    """An envelope that was changed, or signed by nobody whom the policy names."""
    hint = "declare the signer's key in a document of kind Issuer; certificates and keys in the file are never used"
    return error("GW0423", place, "no key of any Issuer fits a signature of the file", hint)


def no_statement(place: Place, reason: str) -> Finding:
    """A signed payload that is no in-toto statement, or lacks what its predicate has."""
    hint = "ask the signer for an in-toto statement of version 1; docs/evidence.md tells what is read of it"
    return error("GW0424", place, f"the in-toto statement is malformed: {reason}", hint)


def unknown_predicate(place: Place, predicate: object) -> Finding:
    """A statement of a kind that is not read."""
    hint = "docs/evidence.md lists the predicates that are read; take the file out if it is for others"
    return error("GW0425", place, f"the predicate {shown(predicate)} is not one that is read", hint)


def not_passed(place: Place, result: object) -> Finding:
    """A verification summary of an artefact that did not pass."""
    hint = "see why the verifier rejects it, and deploy another artefact until then"
    return error("GW0426", place, f"the verifier's result is {shown(result)}, not PASSED", hint)


def no_level(place: Place) -> Finding:
    """A verification summary without a level of SLSA's build track."""
    hint = "ask the verifier for a summary with `SLSA_BUILD_LEVEL_…` among its `verifiedLevels`"
    return error("GW0427", place, "no level of the build track was verified", hint)


def other_resources(place: Place) -> Finding:
    """A model's signature whose files are not those that its digest is of."""
    message = "the digests of the model's files do not make the digest that is signed for it"
    return error("GW0428", place, message, "do not rely on this signer until it is known how that came about")


def no_artefact(place: Place, issuer: Issuer) -> Finding:
    """A statement of no variant that the issuer may speak of."""
    message = f"none of its digests is of a variant of the models that `{issuer.name}` may speak of"
    hint = "add the model to `claims.models` of the Issuer, if it may, or correct the variant's `digest`"
    return error("GW0429", place, message, hint)


def no_certificates(place: Place, reason: str) -> Finding:
    """A file that is no chain of certificates, or no list of revoked ones."""
    hint = (
        "give PEM: the certificate, then those of the authorities between it and the root; lists of revoked ones apart"
    )
    return error("GW0431", place, f"the file cannot be read: {reason}", hint)


def no_svid(place: Place, reason: str) -> Finding:
    """Certificates that are none of a workload and its authorities."""
    hint = "have it issued as an X.509-SVID; docs/evidence.md tells what one has"
    return error("GW0432", place, f"the chain is not that of an X.509-SVID: {reason}", hint)


def unknown_domain(place: Place, domain: str, known: Iterable[str]) -> Finding:
    """A certificate of a trust domain that the policy does not name."""
    hint = suggestion(domain, known, "declare it as `x509` of an Issuer")
    return error("GW0433", place, f"no Issuer has the trust domain {shown(domain)}", hint)


def no_path(place: Place, issuer: Issuer, reason: str) -> Finding:
    """A chain that does not end at a root of its trust domain."""
    message = f"no chain leads from the certificate to a root of `{issuer.name}`: {reason}"
    return error("GW0434", place, message, "put the certificates between it and the root into the file, or renew it")


def no_subject(place: Place, path: str) -> Finding:
    """An identity that is of no site and no pool."""
    message = f"the SPIFFE ID's path {shown(path)} is not /site/NAME or /pool/NAME"
    return error("GW0435", place, message, "have it issued with such an ID, or take the file out")


def revoked_certificate(place: Place, serial: int, at: datetime) -> Finding:
    """A certificate that its authority has revoked."""
    message = f"its authority revoked the certificate {serial:x} at {at.isoformat()}"
    return error("GW0436", place, message, "have a new one issued, and see why this one was revoked")


def no_revocations(place: Place, authority: str, reason: str) -> Finding:
    """A certificate of which nobody knows whether it is revoked."""
    message = f"whether {shown(authority)} revoked a certificate of the chain is not known: {reason}"
    return error("GW0437", place, message, "put the authority's present list beside the certificate: NAME.crl, in PEM")
