"""Organisation: what holds for every service of a policy."""

from policy.documents.level import LevelSpec


class OrganisationSpec(LevelSpec):
    """What the whole organisation writes down for all of its services."""
