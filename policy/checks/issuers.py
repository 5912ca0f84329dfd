"""Issuers whose statements could not be verified, or not told apart."""

from collections.abc import Iterator

from policy.catalogue import error
from policy.findings import Finding, Place
from policy.keys import RSA_BITS, flaw, identity, root_flaw
from policy.resolved import Issuer, IssuerKey, Policy
from policy.words import shown


def issuers(policy: Policy) -> list[Finding]:
    """Errors for keys that verify nothing, and for names that stand for two."""
    roots = (finding for issuer in policy.issuers for finding in _roots(issuer))
    domains = [
        (f"the trust domain {shown(issuer.authority.trust_domain)}", issuer.authority.place)
        for issuer in policy.issuers
        if issuer.authority
    ]
    revoked = (finding for issuer in policy.issuers for finding in _twice(_revoked(issuer)))
    keys = (finding for issuer in policy.issuers for finding in _keys(issuer))
    return [
        *_twice([(f"the `iss` {shown(issuer.iss)}", issuer.place) for issuer in policy.issuers]),
        *keys,
        *_shared(policy.issuers),
        *revoked,
        *roots,
        *_twice(domains),
    ]


def _keys(issuer: Issuer) -> Iterator[Finding]:
    yield from _twice([(f"in {issuer.name}, the `kid` {shown(key.kid)}", key.place) for key in issuer.keys])
    for key in issuer.keys:
        wrong = flaw(key, issuer.algorithms)
        if wrong:
            hint = f"give a key for one of `algorithms`; of RSA keys one of {RSA_BITS} bits or more"
            yield error("GW0406", key.place, f"a key of `{issuer.name}` cannot be used: {wrong}", hint)


def _shared(issuers: tuple[Issuer, ...]) -> Iterator[Finding]:
    """Of an envelope nothing but the key tells who signed it, and so what its Issuer may say and has revoked."""
    first: dict[bytes, tuple[Issuer, IssuerKey]] = {}
    for issuer in issuers:
        for key in issuer.keys:
            known = identity(key)
            other, there = first.setdefault(known, (issuer, key)) if known else (issuer, key)
            if other is not issuer:
                message = f"a key of `{issuer.name}` is one of `{other.name}` too, at {there.place}"
                yield error("GW0301", key.place, message, "give each Issuer keys of its own: a key tells who signed")


def _roots(issuer: Issuer) -> Iterator[Finding]:
    for pem in issuer.authority.roots if issuer.authority else ():
        wrong = root_flaw(pem)
        if wrong and issuer.authority:
            hint = "give the self-signed certificate of a certification authority"
            place = issuer.authority.place
            yield error("GW0438", place, f"a root of `{issuer.name}` cannot be used: {wrong}", hint)


def _revoked(issuer: Issuer) -> list[tuple[str, Place]]:
    return [(f"in {issuer.name}, revoked {each.kind} {shown(each.name)}", each.place) for each in issuer.revoked]


def _twice(named: list[tuple[str, Place]]) -> Iterator[Finding]:
    first: dict[str, Place] = {}
    for what, place in named:
        if first.setdefault(what, place) != place:
            yield error("GW0301", place, f"{what} is given already, at {first[what]}", "keep one of the two")
