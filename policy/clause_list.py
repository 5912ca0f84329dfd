"""Every clause of a policy by its place, and the policy without one of them.

A clause is what stands with a place of its own in a Service, a ComplianceProfile, the CostPolicy or the ScalingPolicy
and could be left out: a new kind of clause needs no line here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from types import NoneType
from typing import Any, Final, get_args, get_origin, get_type_hints

from policy import clauses, resolved
from policy.clauses import ComplianceProfile
from policy.findings import Place
from policy.resolved import CostPolicy, Policy, ScalingPolicy, Service

PARTS: Final = frozenset({"origins", "stages", "compliance"})
"""Lists that say what a service is, and not what it asks."""

Owner = Service | ComplianceProfile | CostPolicy | ScalingPolicy


@dataclass(frozen=True, slots=True)
class WrittenClause:
    """A clause where it is written: the document (kind and name), the field of it, and what the field holds."""

    place: Place
    kind: str
    name: str
    field: str
    clause: object


def clauses_of(policy: Policy) -> tuple[WrittenClause, ...]:
    """All of them, by place."""
    found = (each for owner in _owners(policy) for each in _clauses(owner))
    return tuple(sorted(found, key=lambda each: each.place))


def without_clause(policy: Policy, place: Place) -> Policy:
    """The policy in which the clause at a place was never written; the same one where there is none."""
    return replace(
        policy,
        services=tuple(_without(each, place) for each in policy.services),
        compliance=tuple(_without(each, place) for each in policy.compliance),
        cost=_without(policy.cost, place),
        scaling=_without(policy.scaling, place),
    )


def _owners(policy: Policy) -> tuple[Owner, ...]:
    return (*policy.services, *policy.compliance, policy.cost, policy.scaling)


def _clauses(owner: Owner) -> Iterator[WrittenClause]:
    for name in _leavable(type(owner)):
        held = getattr(owner, name)
        for each in held if isinstance(held, tuple) else (held,):
            if isinstance(place := getattr(each, "place", None), Place):
                yield WrittenClause(place, type(owner).__name__, owner.name, name, each)


def _without(owner: Any, place: Place) -> Any:
    gone: dict[str, object] = {}
    for name in _leavable(type(owner)):
        held = getattr(owner, name)
        if isinstance(held, tuple) and any(getattr(each, "place", None) == place for each in held):
            gone[name] = tuple(each for each in held if getattr(each, "place", None) != place)
        elif getattr(held, "place", None) == place:
            gone[name] = None
    return replace(owner, **gone) if gone else owner


def _leavable(owner: type[Any]) -> tuple[str, ...]:
    """The fields that may be empty: lists, and what may be None."""
    hints = get_type_hints(owner, {**vars(clauses), **vars(resolved)})
    may_be_empty = {name for name, hint in hints.items() if get_origin(hint) is tuple or NoneType in get_args(hint)}
    return tuple(each.name for each in fields(owner) if each.name in may_be_empty - PARTS)
