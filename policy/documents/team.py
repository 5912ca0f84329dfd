"""Team: what holds for the services that name it."""

from policy.documents.level import LevelSpec


class TeamSpec(LevelSpec):
    """What a team writes down for all of its services."""
