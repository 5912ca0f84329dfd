"""Issuers whose statements could not be verified, or not told apart."""

from collections.abc import Iterator

from policy.catalogue import error
from policy.findings import Finding, Place
from policy.keys import RSA_BITS, flaw
from policy.resolved import Issuer, Policy
from policy.words import shown


def issuers(policy: Policy) -> list[Finding]:
    """Errors for keys that verify nothing, and for names that stand for two."""
    revoked = (finding for issuer in policy.issuers for finding in _twice(_revoked(issuer)))
    keys = (finding for issuer in policy.issuers for finding in _keys(issuer))
    return [*_twice([(f"the `iss` {shown(issuer.iss)}", issuer.place) for issuer in policy.issuers]), *keys, *revoked]


def _keys(issuer: Issuer) -> Iterator[Finding]:
    yield from _twice([(f"in {issuer.name}, the `kid` {shown(key.kid)}", key.place) for key in issuer.keys])
    for key in issuer.keys:
        wrong = flaw(key, issuer.algorithms)
        if wrong:
            hint = f"give a key for one of `algorithms`; of RSA keys one of {RSA_BITS} bits or more"
            yield error("GW0406", key.place, f"a key of `{issuer.name}` cannot be used: {wrong}", hint)


def _revoked(issuer: Issuer) -> list[tuple[str, Place]]:
    return [(f"in {issuer.name}, revoked {each.kind} {shown(each.name)}", each.place) for each in issuer.revoked]


def _twice(named: list[tuple[str, Place]]) -> Iterator[Finding]:
    first: dict[str, Place] = {}
    for what, place in named:
        if first.setdefault(what, place) != place:
            yield error("GW0301", place, f"{what} is given already, at {first[what]}", "keep one of the two")
