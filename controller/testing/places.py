"""Expectations on where services are served, and where they may be."""

from collections.abc import Iterable

from controller.decision import Decision
from controller.explain import Candidate
from controller.testing.rest import Rest
from controller.testing.results import Failure, Trouble
from policy.clause_list import clauses_of
from policy.findings import Place
from policy.resolved import Policy
from policy.testing import Allowed, Barred, NeverOn, RunsNowhere, RunsOnly, Unchanged, Where
from rules.kernel.problem import Placement

Use = tuple[str, str, Placement]
"""Origin, stage, and the placement that serves it."""


def judged(expected: RunsOnly | RunsNowhere | NeverOn | Allowed | Barred, now: Rest) -> Failure | Trouble | None:
    """What is wrong with such an expectation; None where it holds."""
    match expected:
        case RunsOnly():
            return _runs_only(expected, now)
        case RunsNowhere():
            return _runs_nowhere(expected, now)
        case NeverOn():
            return _never_on(expected, now)
        case Allowed():
            return _allowed(expected, now)
        case Barred():
            return _barred(expected, now)


def _runs_only(expected: RunsOnly, now: Rest) -> Failure | None:
    """Holds where it is served, and in the places that are meant alone."""
    pools, about = pools_of(expected.where, now.policy), _told(expected.where)
    uses = _uses(now.decision, now.policy, expected.where.service, expected.where.stage)
    wanted = f"{about} to run only {_places(expected.where)}"
    if not uses:
        return Failure(expected.place, wanted, "nothing of it is served")
    return _unless_none(expected.place, wanted, [use for use in uses if use[2].pool not in pools])


def _runs_nowhere(expected: RunsNowhere, now: Rest) -> Failure | None:
    """Holds where it has no route, and nothing stands of the models that are its own."""
    calling = {each.name: {stage.model for stage in each.stages} for each in now.policy.services}
    others = {model for name, models in calling.items() if name != expected.service for model in models}
    served = [_use(use) for use in _uses(now.decision, now.policy, expected.service, "")]
    placed = (load.placement for load in now.decision.fleet.loads)
    standing = [str(each) for each in placed if each.model in calling[expected.service] - others]
    told = "; ".join(dict.fromkeys((*served, *standing)))
    return Failure(expected.place, f"{expected.service} to run nowhere", told) if told else None


def _never_on(expected: NeverOn, now: Rest) -> Failure | None:
    """Holds where none of it is served there in any turn."""
    pools, about = pools_of(expected.where, now.policy), _told(expected.where)
    turns = (_uses(turn, now.policy, expected.where.service, expected.where.stage) for turn in now.turns)
    there = [use for uses in turns for use in uses if use[2].pool in pools]
    return _unless_none(expected.place, f"{about} never to run {_places(expected.where)}", there)


def _allowed(expected: Allowed, now: Rest) -> Failure | Trouble | None:
    """Holds where of each pool, for each origin and stage, some variant has nothing against it."""
    judged = _by_use(expected.where, now)
    if isinstance(judged, str):
        return Trouble(expected.place, judged, "name a site with pools, or the pools themselves")
    against = [each for uses in judged.values() if all(use.objections for use in uses) for each in uses]
    wanted = f"{_told(expected.where)} to be allowed {_places(expected.where)}"
    return Failure(expected.place, wanted, _objections(against)) if against else None


def _barred(expected: Barred, now: Rest) -> Failure | Trouble | None:
    """Holds where every variant has something against it, or the wanted profile has, of each pool, origin and stage."""
    judged = _by_use(expected.where, now)
    if isinstance(judged, str):
        return Trouble(expected.place, judged, "name a site with pools, or the pools themselves")
    every = [use for uses in judged.values() for use in uses]
    wanted = f"{_told(expected.where)} to be barred {_places(expected.where)}"
    wanted += f" by {expected.by}" if expected.by else ""
    free = [use for use in every if not use.objections]
    if free:
        names = ", ".join(sorted({f"{use.stage} on {use.placement.pool} from {use.origin}" for use in free}))
        return Failure(expected.place, wanted, f"allowed is {names}")
    places = {each.place for each in clauses_of(now.policy) if each.name == expected.by}
    other = [use for use in every if expected.by and not any(each.place in places for each in use.objections)]
    return Failure(expected.place, wanted, _objections(other)) if other else None


def unchanged(expected: Unchanged, before: Rest, now: Rest) -> Failure | None:
    """Holds where every stage is served by the same placements as before."""
    moved = []
    for service in expected.services:
        one, other = (set(_uses(each.decision, each.policy, service, "")) for each in (before, now))
        moved += [f"{service} left {_use(use)}" for use in sorted(one - other)]
        moved += [f"{service} came to {_use(use)}" for use in sorted(other - one)]
    wanted = f"{', '.join(expected.services)} to stay where {'it is' if len(expected.services) == 1 else 'they are'}"
    return Failure(expected.place, wanted, "; ".join(moved)) if moved else None


def pools_of(where: Where, policy: Policy) -> frozenset[str]:
    """The pools that are meant, by name or by site."""
    return frozenset((*where.pools, *(pool.name for pool in policy.pools if pool.site in where.sites)))


def _by_use(where: Where, now: Rest) -> dict[tuple[str, str, str], list[Candidate]] | str:
    """What is meant, by origin, stage and pool; in words, why that is not all there."""
    empty = [site for site in where.sites if not any(pool.site == site for pool in now.policy.pools)]
    if empty:
        return f"there is no pool at {', '.join(empty)}"
    pools = pools_of(where, now.policy)
    found: dict[tuple[str, str, str], list[Candidate]] = {}
    for each in now.candidates:
        if each.service == where.service and where.stage in {"", each.stage} and each.placement.pool in pools:
            found.setdefault((each.origin, each.stage, each.placement.pool), []).append(each)
    missing = sorted({*where.pools} - {pool for _, _, pool in found})
    return f"there is no pool {', '.join(missing)} any more" if missing else found


def _uses(decision: Decision, policy: Policy, service: str, stage: str) -> tuple[Use, ...]:
    """Where a service, or one stage of it, is served."""
    stages = next((each.stages for each in policy.services if each.name == service), ())
    found = {
        (routes.origin, name.name, placement)
        for routes in decision.fleet.routes
        if routes.service == service
        for way in routes.ways
        for name, placement in zip(stages, way.placements, strict=False)
        if stage in {"", name.name}
    }
    return tuple(sorted(found))


def _unless_none(place: Place, wanted: str, uses: Iterable[Use]) -> Failure | None:
    told = "; ".join(dict.fromkeys(_use(use) for use in uses))
    return Failure(place, wanted, told) if told else None


def _use(use: Use) -> str:
    origin, stage, placement = use
    return f"{stage} on {placement.pool} (from {origin})"


def _told(where: Where) -> str:
    return f"stage {where.stage} of {where.service}" if where.stage else where.service


def _places(where: Where) -> str:
    pools = [f"on {', '.join(where.pools)}"] if where.pools else []
    return " or ".join([*pools, *([f"at {', '.join(where.sites)}"] if where.sites else [])])


def _objections(uses: Iterable[Candidate]) -> str:
    told = (
        f"{use.stage} on {use.placement.pool} from {use.origin}: {each.rule}: {each.reason}"
        + (f" ({each.place})" if each.place else "")
        for use in uses
        for each in use.objections
    )
    return "; ".join(dict.fromkeys(told))
