"""Documents on whose statements count, resolved."""

from collections.abc import Sequence
from dataclasses import replace

from policy.documents.issuer import IssuerSpec, X509Spec
from policy.resolved import Authority, Issuer, IssuerKey, Model, Nonce, Revoked
from policy.validate import Valid


def issuer(valid: Valid, spec: IssuerSpec) -> Issuer:
    """The issuer of a document; the artefacts of its models are known once all documents are read."""
    keys = (
        IssuerKey(key.kid or "", tuple(key.model_dump(exclude_none=True).items()), valid.place("keys", index))
        for index, key in enumerate(spec.keys)
    )
    return Issuer(
        name=valid.name,
        iss=spec.iss or valid.name,
        algorithms=tuple(spec.algorithms),
        keys=tuple(keys),
        standards=tuple(spec.claims.standards),
        sites=tuple(spec.claims.sites),
        pools=tuple(spec.claims.pools),
        audience=spec.audience or "",
        max_age_s=spec.max_age or 0,
        place=valid.place(),
        models=tuple(spec.claims.models),
        revoked=tuple(
            Revoked(kind, name, valid.place("revoked", index))
            for index, each in enumerate(spec.revoked)
            for kind, name in each.model_dump(exclude_none=True).items()
        ),
        authority=_authority(valid, spec.x509) if spec.x509 else None,
        links=tuple(spec.claims.links),
        nonces=tuple(Nonce(each.subject.kind, each.subject.name, each.nonce, each.issued_at) for each in spec.nonces),
    )


def _authority(valid: Valid, spec: X509Spec) -> Authority:
    return Authority(spec.trust_domain, tuple(spec.roots), spec.crl, valid.place("x509"))


def with_digests(issuer: Issuer, models: Sequence[Model]) -> Issuer:
    """The issuer with the artefacts of the models that it may speak of."""
    named = (model for model in models if model.name in issuer.models)
    return replace(issuer, digests=tuple(variant.digest for model in named for variant in model.variants))
