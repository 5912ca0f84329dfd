"""The findings that a plan, or what it was made from, may come with."""

from functools import cache

from collectors.catalogue import TITLES as READINGS
from controller.planning.catalogue import TITLES as PLANNING
from policy.catalogue import TITLES as POLICY
from rules.catalogue import RULES


@cache
def known_findings() -> frozenset[str]:
    """Their ids."""
    return frozenset((*POLICY, *READINGS, *PLANNING, *(rule.finding_id for rule in RULES)))
