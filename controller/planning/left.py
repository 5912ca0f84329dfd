"""What is left of each demand's paths by what rules bar, kept for as long as it is judged by the same."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from controller.planning.paths import NO_OPTIONS, Uses
from policy.resolved import Stage
from rules.catalogue import OF_PATHS
from rules.kernel.formulation import Exclusion
from rules.kernel.problem import Demand, Path, Problem


class Judged(NamedTuple):
    """What the paths of a demand are judged by, beside the policy and the options, which made them what they are."""

    forbidden: tuple[frozenset[str], ...]
    """By stage, the options that it may not use."""
    gone: frozenset[str]
    covered: tuple[tuple[Stage, ...], ...]
    """By profile, the stages that it covers: what data they handle, evidence may tell."""


class Left(NamedTuple):
    """What is left of the paths of a demand."""

    paths: tuple[Path, ...]
    slow: tuple[tuple[Exclusion, ...], ...]
    """By rule, what it excludes of the paths over options that are allowed."""
    taken: frozenset[str]
    """The options that such paths take."""
    barred: frozenset[str]
    """The paths that are not left."""


Judgements = Mapping[str, tuple[tuple[Path, ...], Judged, Left]]
"""By demand: its paths, and what was judged."""


def left_of(
    problem: Problem, paths: Mapping[str, tuple[Path, ...]], forbidden: Uses, gone: frozenset[str], before: Judgements
) -> Judgements:
    """What is left of the paths of each demand of a problem."""
    covered = {
        service.name: tuple(problem.covered(profile, service) for profile in problem.policy.compliance)
        for service in problem.policy.services
    }
    found: dict[str, tuple[tuple[Path, ...], Judged, Left]] = {}
    anew = list[tuple[Demand, Judged, tuple[Path, ...]]]()
    for demand in problem.demands:
        uses = ((demand.id, stage.name) for stage in problem.service_of(demand).stages)
        judged = Judged(tuple(forbidden.get(use, NO_OPTIONS) for use in uses), gone, covered[demand.service])
        same = before.get(demand.id)
        if same is not None and same[0] is paths[demand.id] and same[1] == judged:
            found[demand.id] = same
        else:
            anew.append((demand, judged, _allowed(paths[demand.id], judged)))
    slow = _slow(problem, tuple(demand for demand, *_ in anew), tuple(chain.from_iterable(each for *_, each in anew)))
    for demand, judged, allowed in anew:
        own = tuple(rows.get(demand.id, ()) for rows in slow)
        found[demand.id] = paths[demand.id], judged, _left(paths[demand.id], allowed, own)
    return {demand.id: found[demand.id] for demand in problem.demands}


def _allowed(paths: tuple[Path, ...], judged: Judged) -> tuple[Path, ...]:
    """The paths that take no forbidden use and no option that is gone."""
    taken = zip(*(path.options for path in paths), strict=True)
    out = [(here | judged.gone).intersection(options) for here, options in zip(judged.forbidden, taken, strict=False)]
    if not any(out):
        return paths
    return tuple(
        path for path in paths if not any(option in here for option, here in zip(path.options, out, strict=True))
    )


def _slow(
    problem: Problem, demands: tuple[Demand, ...], paths: tuple[Path, ...]
) -> list[Mapping[str, tuple[Exclusion, ...]]]:
    """By rule and demand, what it excludes of these paths."""
    asked = replace(problem, demands=demands, paths=paths)
    found = list[Mapping[str, tuple[Exclusion, ...]]]()
    for rule in OF_PATHS:
        of_demand: dict[str, list[Exclusion]] = {}
        for row in rule.exclusions(asked) if paths and rule.applies(asked) else ():
            of_demand.setdefault(asked.path(row.path).demand, []).append(row)
        found.append({demand: tuple(rows) for demand, rows in of_demand.items()})
    return found


def _left(every: tuple[Path, ...], allowed: tuple[Path, ...], slow: tuple[tuple[Exclusion, ...], ...]) -> Left:
    lost = {row.path for rows in slow for row in rows}
    paths = tuple(path for path in allowed if path.id not in lost) if lost else allowed
    used = {path.id for path in paths}
    taken = frozenset(option for path in allowed for option in path.options)
    return Left(paths, slow, taken, frozenset(path.id for path in every if path.id not in used))
