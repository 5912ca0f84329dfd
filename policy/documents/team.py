"""Team: what holds for the services that name it."""

from policy.documents.tier import TierSpec


class TeamSpec(TierSpec):
    """What a team writes down for all of its services."""
