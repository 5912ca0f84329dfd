"""Organisation: what holds for every service of a policy."""

from policy.documents.tier import TierSpec


class OrganisationSpec(TierSpec):
    """What the whole organisation writes down for all of its services."""
