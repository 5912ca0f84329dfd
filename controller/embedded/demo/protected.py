"""Which services are protected, where they may not be served, and how often servers say they were.

Written from the policy's documents and the evidence alone, without the rules: the story's own judge.
"""

from collections.abc import Mapping
from datetime import datetime

from collectors.snapshot import Snapshot
from policy.resolved import Policy


def protected_services(policy: Policy) -> tuple[str, ...]:
    """The services that a profile asks certifications for."""
    return tuple(
        service.name
        for service in policy.services
        if any(profile.certifications and profile.covered(service) for profile in policy.compliance)
    )


def uncertified_pools(policy: Policy, snapshot: Snapshot | None, at: datetime) -> set[str]:
    """The pools where some asked standard is not held at an instant."""
    asked = {
        tuple(standard.name for standard in clause.any_of)
        for profile in policy.compliance
        for clause in profile.certifications
    }
    held = {
        (item.subject, item.standard)
        for item in (snapshot.evidence if snapshot else ())
        if item.issued_at <= at < item.expires_at
    }
    return {
        pool.name
        for pool in policy.pools
        if any(all((pool.site, standard) not in held for standard in any_of) for any_of in asked)
    }


def protected_calls(policy: Policy, answered: Mapping[tuple[str, str], int], pools: set[str]) -> int:
    """Calls of protected services' models that these pools' servers have answered since they started."""
    names = protected_services(policy)
    models = {stage.model for service in policy.services if service.name in names for stage in service.stages}
    return sum(count for (pool, model), count in answered.items() if pool in pools and model in models)
