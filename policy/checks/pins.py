"""Digests that a profile pins and no Model has: often a slip, by which the variant that was meant may not serve.

Judged only when every document could be read, as absences are.
"""

from collections.abc import Iterator

from policy.catalogue import warning
from policy.findings import Finding
from policy.resolved import Policy
from policy.words import nearest


def pinned_nowhere(policy: Policy) -> Iterator[Finding]:
    """A warning for each digest of a clause that is of no variant, with the nearest one that is."""
    named = {variant.digest: f"{model.name}/{variant.name}" for model in policy.models for variant in model.variants}
    for profile in policy.compliance:
        clause = profile.pinned
        for digest in clause.digests if clause else ():
            if clause and digest not in named:
                close = nearest(digest, named)
                hint = f"did you mean `{close}`, of {named[close]}?" if close else "take that of a variant of a Model"
                yield warning("GW0445", clause.place, f"no Model has a variant with the digest `{digest}`", hint)
