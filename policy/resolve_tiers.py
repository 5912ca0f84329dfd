"""Organisation and Team documents, and the services as they are with what these say of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from policy.clauses import ComplianceProfile, Scope
from policy.documents.organisation import OrganisationSpec
from policy.documents.team import TeamSpec
from policy.documents.tier import LimitsSpec
from policy.resolve_clauses import own
from policy.resolve_service import available, preferences
from policy.resolved import AccuracyObjective, DegradeStep, Model, Service, UseVariant
from policy.tiers import (
    Limits,
    Organisation,
    Preferences,
    Priority,
    Team,
    Tier,
    at_least,
    at_most,
    chosen,
    in_as_many_places,
    together,
)
from policy.validate import Valid


def organisation(valid: Valid, spec: OrganisationSpec) -> Organisation:
    """The organisation; its clauses cover every service."""
    return Organisation(
        valid.name,
        preferences(valid, spec.defaults, "defaults"),
        _limits(valid, spec.limits),
        own(valid, spec.compliance, Scope()),
        valid.place(),
    )


def team(valid: Valid, spec: TeamSpec) -> Team:
    """The team; its clauses cover the services that name it."""
    return Team(
        valid.name,
        preferences(valid, spec.defaults, "defaults"),
        _limits(valid, spec.limits),
        own(valid, spec.compliance, Scope(teams=(valid.name,))),
        valid.place(),
    )


def tiers_above(service: Service, teams: Mapping[str, Team], top: Organisation | None) -> tuple[Tier, ...]:
    """What a service is below, the nearest first."""
    return tuple(tier for tier in (teams.get(service.team), top) if tier)


def inherited(service: Service, said: Preferences, above: Sequence[Tier], models: Mapping[str, Model]) -> Service:
    """The service with what it leaves to the tiers above, the nearest first, and within the limits of all of them."""
    asked = chosen([said, *(tier.defaults for tier in above)])
    limits = together(tier.limits for tier in above)
    priority = at_most(asked.priority, limits.priority) if asked.priority else None
    called = {stage.model for stage in service.stages}
    steps = said.degrade if said.degrade is not None else (s for s in asked.degrade or () if _concerns(s, called))
    return replace(
        service,
        latency=asked.latency,
        availability=in_as_many_places(asked.availability, limits.availability),
        accuracy=at_least(asked.accuracy, limits.accuracy),
        degrade=tuple(step for step in steps if not is_below(step, limits.accuracy, models)),
        priority=priority.value if priority else service.priority,
    )


def is_below(step: DegradeStep, least: AccuracyObjective | None, models: Mapping[str, Model]) -> bool:
    """Whether a degrade step would use a variant below a limit's floor."""
    if least is None or not isinstance(step, UseVariant) or step.model not in models:
        return False
    return any(
        variant.name == step.variant and variant.accuracy_ppm < least.floor_ppm
        for variant in models[step.model].variants
    )


def profiles(services: Sequence[Service], teams: Sequence[Team], top: Organisation | None) -> list[ComplianceProfile]:
    """What organisation, teams and services ask for themselves; nothing of a tier without a service."""
    named = {service.team for service in services}
    tiers: list[Tier | Service] = [
        *([top] if top and services else ()),
        *(each for each in teams if each.name in named),
    ]
    return [each.compliance for each in (*tiers, *services) if each.compliance]


def _concerns(step: DegradeStep, called: set[str]) -> bool:
    """Whether a default step has anything to do with a service that calls these models."""
    return not isinstance(step, UseVariant) or step.model in called


def _limits(valid: Valid, spec: LimitsSpec) -> Limits:
    accuracy, availability, priority = spec.accuracy, spec.availability, spec.priority
    return Limits(
        AccuracyObjective(accuracy.floor, valid.place("limits", "accuracy")) if accuracy else None,
        available(availability, valid.place("limits", "availability")) if availability else None,
        Priority(priority, valid.place("limits", "priority")) if priority is not None else None,
    )
