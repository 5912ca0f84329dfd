"""Include: a bundle of reviewed documents, taken as part of the policy while its digest is as written."""

from policy.documents.base import Name, Spec
from policy.documents.model import Digest


class IncludeSpec(Spec):
    """The bundle's folder under `bundles`, and the digest of its files."""

    bundle: Name
    digest: Digest
