"""What a tier or a service says of itself against the limits of the tiers above it, and of its own."""

from collections.abc import Iterator, Mapping, Sequence

from policy.catalogue import error
from policy.documents.service import ServiceSpec
from policy.findings import Finding, Place
from policy.resolve_service import preferences
from policy.resolve_tiers import is_below, tiers_above
from policy.resolved import Model, Policy, UseVariant
from policy.tiers import Limits, Preferences, Tier
from policy.validate import Valid

HINT = "keep to the limit, or have it changed where it stands"


def beyond_limits(policy: Policy, documents: Sequence[Valid]) -> Iterator[Finding]:
    """An error for each value beyond a limit. It would not hold: services are kept within the limits all the same."""
    top, teams = policy.organisation, {team.name: team for team in policy.teams}
    models = {model.name: model for model in policy.models}
    if top:
        yield from _beyond(top.defaults, (top,), models)
    for team in policy.teams:
        above: tuple[Tier, ...] = (top,) if top else ()
        yield from _beyond(team.defaults, (team, *above), models)
        for tier in above:
            yield from _looser(team.limits, tier)
    services = {service.place: service for service in policy.services}
    for valid in documents if top or teams else ():
        if isinstance(valid.spec, ServiceSpec):
            above = tiers_above(services[valid.place()], teams, top)
            yield from _beyond(preferences(valid, valid.spec), above, models)


def _beyond(said: Preferences, tiers: Sequence[Tier], models: Mapping[str, Model]) -> Iterator[Finding]:
    """What is said beyond a limit of one of the tiers."""
    for tier in tiers:
        yield from _looser(Limits(said.accuracy, said.availability, said.priority), tier)
        least = tier.limits.accuracy
        for step in said.degrade or ():
            if least and isinstance(step, UseVariant) and is_below(step, least, models):
                what = f"`{step.variant}` of `{step.model}` has less accuracy than {_percent(least.floor_ppm)}"
                yield _told(step.place, what, tier, least.place)


def _looser(said: Limits, tier: Tier) -> Iterator[Finding]:
    """Values that a limit of the tier does not allow; limits of a lower tier are values like others."""
    limits = tier.limits
    if said.priority and limits.priority and said.priority.value > limits.priority.value:
        what = f"a priority of {said.priority.value} is above {limits.priority.value}"
        yield _told(said.priority.place, what, tier, limits.priority.place)
    if said.accuracy and limits.accuracy and said.accuracy.floor_ppm < limits.accuracy.floor_ppm:
        what = f"a floor of {_percent(said.accuracy.floor_ppm)} is below {_percent(limits.accuracy.floor_ppm)}"
        yield _told(said.accuracy.place, what, tier, limits.accuracy.place)
    if said.availability and limits.availability:
        for name in ("sites", "racks", "nodes", "spares"):
            has, asked = getattr(said.availability, name), getattr(limits.availability, name)
            if has < asked:
                stated = f"`{name}: {has}`" if has > 1 else f"`{name}`, 1 unless said otherwise,"
                what = f"{stated} is below {asked}"
                yield _told(said.availability.place, what, tier, limits.availability.place)
        if limits.availability.survives_any_site and not said.availability.survives_any_site:
            what = "`survives: nothing` is less than `any-site`"
            yield _told(said.availability.place, what, tier, limits.availability.place)


def _told(place: Place, what: str, tier: Tier, limit: Place) -> Finding:
    return error("GW0351", place, f"{what}, the limit of `{tier.name}` at {limit}", HINT)


def _percent(ppm: int) -> str:
    return f"{ppm / 10_000:g}%"
