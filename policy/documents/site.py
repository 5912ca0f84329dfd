"""Site: a place with its own failure domain."""

from pydantic import Field

from policy.documents.base import Spec, Word


class SiteSpec(Spec):
    """All the jurisdictions that the site lies in, such as FR and EU."""

    jurisdictions: list[Word] = Field(min_length=1)
