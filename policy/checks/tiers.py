"""Services outside of every team, and teams without services: often a word that was forgotten."""

from collections.abc import Iterator

from policy.catalogue import warning
from policy.findings import Finding
from policy.resolved import Policy


def without_a_tier(policy: Policy) -> Iterator[Finding]:
    """Warnings; judged only when every document could be read."""
    for service in policy.services if policy.teams else ():
        if not service.team:
            message = f"`{service.name}` is of no team, so nothing that a team asks for covers it"
            yield warning("GW0353", service.place, message, "name its team, or let the Organisation ask for it")
    named = {service.team for service in policy.services}
    for team in policy.teams:
        if team.name not in named:
            message = f"no service is of the team `{team.name}`"
            yield warning("GW0354", team.place, message, "name it as the `team` of a service, or take it out")
