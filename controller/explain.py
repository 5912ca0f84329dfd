"""Why a stage is served where it is, and why not elsewhere: every placement there could be, with its reason."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from controller.decision import Decision
from controller.fleet import Way
from controller.planning.options import options, speeds
from policy.findings import Place
from policy.resolved import Policy, Service, Stage
from rules.kernel.formulation import Exclusion
from rules.kernel.problem import Placement

NO_PROFILE: Final = "profile"


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a placement may not serve a stage: the rule, its reason, and the clause behind it."""

    rule: str
    reason: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class Use:
    """A stage of what one origin asks of a service."""

    service: Service
    origin: str
    stage: Stage


@dataclass(frozen=True, slots=True)
class Candidate:
    """A placement for a use.

    `share_permille` of the demand goes there, to `instances` that all demands share. Without objections and without a
    share it is allowed, and the plan does without it. `encodings` are those in which inputs are sent there.
    """

    service: str
    origin: str
    stage: str
    placement: Placement
    instances: int
    share_permille: int
    objections: tuple[Objection, ...]
    encodings: tuple[str, ...] = ()


def candidates(policy: Policy, decision: Decision, exclusions: Iterable[Exclusion]) -> tuple[Candidate, ...]:
    """Every variant on every pool, for every use; `exclusions` are those of the problem that was decided on."""
    against: defaultdict[str, list[Exclusion]] = defaultdict(list)
    for row in exclusions:
        against[row.option].append(row)
    by_placement: dict[Placement, list[str]] = {}
    for option in options(policy, speeds(policy, ())):
        by_placement.setdefault(option.placement, []).append(option.id)
    found, standing = [], decision.fleet.instances()
    for service in policy.services:
        for stage in service.stages:
            for origin in service.origins:
                use = Use(service, origin.site, stage)
                for placement in _placements(policy, stage.model):
                    ids = by_placement.get(placement)
                    objections = _objections(use, ids, against) if ids else (_no_profile(policy, placement),)
                    found.append(_candidate(use, placement, standing[placement], decision, objections))
    return tuple(found)


def subjects(policy: Policy) -> tuple[str, ...]:
    """What can be asked about: services, and placements as `model/variant@pool`."""
    models = dict.fromkeys(stage.model for service in policy.services for stage in service.stages)
    placements = (str(placement) for model in models for placement in _placements(policy, model))
    return (*(service.name for service in policy.services), *placements)


def _placements(policy: Policy, model: str) -> tuple[Placement, ...]:
    return tuple(
        Placement(model, variant.name, pool.name) for variant in policy.model(model).variants for pool in policy.pools
    )


def _candidate(
    use: Use, placement: Placement, instances: int, decision: Decision, objections: tuple[Objection, ...]
) -> Candidate:
    share = _share(use, placement, decision)
    return Candidate(
        service=use.service.name,
        origin=use.origin,
        stage=use.stage.name,
        placement=placement,
        instances=instances,
        share_permille=share,
        objections=() if share else objections,
        encodings=_encodings(use, placement, decision),
    )


def _encodings(use: Use, placement: Placement, decision: Decision) -> tuple[str, ...]:
    index = use.service.stages.index(use.stage)
    found = (way.encoding(index) for way in _ways(use, decision) if way.placements[index] == placement)
    return tuple(sorted({each for each in found if each}))


def _share(use: Use, placement: Placement, decision: Decision) -> int:
    index = use.service.stages.index(use.stage)
    return sum(way.weight_permille for way in _ways(use, decision) if way.placements[index] == placement)


def _ways(use: Use, decision: Decision) -> Iterator[Way]:
    for routes in decision.fleet.routes:
        if (routes.service, routes.origin) == (use.service.name, use.origin):
            yield from routes.ways


def _no_profile(policy: Policy, placement: Placement) -> Objection:
    pool = policy.pool(placement.pool)
    return Objection(
        NO_PROFILE, f"device {pool.device} has no profile for {placement.model}/{placement.variant}", pool.place
    )


def _objections(use: Use, ids: list[str], against: Mapping[str, list[Exclusion]]) -> tuple[Objection, ...]:
    """Why none of the placement's options may serve the use; nothing when one may. One reason for each clause."""
    demand = f"{use.service.name}@{use.origin}"
    rows = [
        [row for row in against.get(option, ()) if row.demand in {"", demand} and row.stage in {"", use.stage.name}]
        for option in ids
    ]
    if not all(rows):
        return ()
    first: dict[tuple[str, Place | None], Objection] = {}
    for row in itertools.chain.from_iterable(rows):
        first.setdefault((row.rule, row.place), Objection(row.rule, row.reason, row.place))
    return tuple(first.values())
