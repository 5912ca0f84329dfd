"""What stands takes over what a lost site served, where room is kept for that, before anything else happens."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from controller.planning.excluded import exclusions_of
from rules.kernel.measure import carried
from rules.kernel.plan import Plan, Route
from rules.kernel.pouring import Pouring
from rules.kernel.problem import WHOLE_PERMILLE, Demand, Path, Problem
from rules.kernel.refuge import opens, refuge

Shares = Mapping[str, int]
"""By option, in permille of a demand."""


def taken_over(standing: Plan, lost_permille: Mapping[str, int], problem: Problem) -> tuple[Route, ...]:
    """Routes for lost shares of demands of services that survive any site, over the room beside a plan's routes.

    What keeps a path from being used keeps it from being taken here; what finds no room gets no route. Shares are whole
    permilles, so an instance may be given up to one of each demand more than it answers.
    """
    lost = [problem.demand(name) for name, share in lost_permille.items() if share > 0]
    lost = [demand for demand in lost if problem.service_of(demand).survives_any_site and demand.rate_milli_rps]
    if not lost:
        return ()
    lost.sort(key=lambda each: (-problem.service_of(each).priority, each.id))
    usable = _usable(standing, lost, problem)
    room = Pouring(_room(standing, problem))
    paths: list[Mapping[tuple[str, ...], str]] = []
    for demand in lost:
        service = problem.service_of(demand)
        paths.append({path.options: path.id for path in usable if path.demand == demand.id})
        for stage, options in zip(service.stages, refuge(problem, service, set(paths[-1])), strict=True):
            room.pour(lost_permille[demand.id] * stage.fanout * demand.rate_milli_rps, options)
    found, poured = [], iter(room.poured())
    for demand, known in zip(lost, paths, strict=True):
        stages = problem.service_of(demand).stages
        shares = [_permille(next(poured), stage.fanout * demand.rate_milli_rps) for stage in stages]
        found += [Route(known[options], share) for options, share in _joined(shares)]
    return tuple(found)


def _usable(standing: Plan, lost: Sequence[Demand], problem: Problem) -> tuple[Path, ...]:
    """The paths of these demands over what stands that nothing bars, at the level that their service has."""
    used = standing.used_options()
    paths = tuple(
        path
        for demand, service in ((demand, problem.service_of(demand)) for demand in lost)
        for path in problem.paths_of(demand.id)
        if used.issuperset(path.options) and opens(problem, service, path) <= standing.level(service.name)
    )
    options = tuple(option for option in problem.options if option.id in used)
    rows = exclusions_of(replace(problem, demands=tuple(lost), options=options, paths=paths))
    barred = {(row.demand, row.stage, row.option) for row in rows if not row.path}
    slow = {row.path for row in rows}
    return tuple(path for path in paths if path.id not in slow and barred.isdisjoint(_uses(path, problem)))


def _uses(path: Path, problem: Problem) -> Iterator[tuple[str, str, str]]:
    """What exclusions name: each option of the path at its stage, and at all."""
    stages = problem.service_of(problem.demand(path.demand)).stages
    for stage, option in zip(stages, path.options, strict=True):
        yield path.demand, stage.name, option
        yield "", "", option


def _room(standing: Plan, problem: Problem) -> dict[str, int]:
    """By option, the calls that its instances may be given beside those of a plan's routes, in millionths a second."""
    room = {option.id: 0 for option in problem.options}
    for item in standing.instances:
        room[item.option] += item.count * problem.option(item.option).capacity_milli_rps * WHOLE_PERMILLE
    for path, share in carried(standing, problem):
        demand = problem.demand(path.demand)
        for stage, option in zip(problem.service_of(demand).stages, path.options, strict=True):
            room[option] -= share * stage.fanout * demand.rate_milli_rps
    return room


def _permille(calls: Mapping[str, int], of_a_permille: int) -> Shares:
    """Calls as whole permilles that sum to as many as all of them are: the largest parts are rounded up."""
    found = {option: amount // of_a_permille for option, amount in calls.items()}
    missing = sum(calls.values()) // of_a_permille - sum(found.values())
    for option in sorted(calls, key=lambda name: (-(calls[name] % of_a_permille), name))[:missing]:
        found[option] += 1
    return found


def _joined(stages: Iterable[Shares]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Options for all stages with their share, so that each stage's shares are kept as far as every stage has some."""
    ends = [_ends(shares) for shares in stages]
    begin = 0
    for end in sorted({end for each in ends for end, _ in each}):
        here = [next((name for until, name in each if until >= end), "") for each in ends]
        if all(here):
            yield tuple(here), end - begin
        begin = end


def _ends(shares: Shares) -> list[tuple[int, str]]:
    """The shares laid one after the other: where each ends."""
    named = sorted((name, share) for name, share in shares.items() if share)
    return list(zip(itertools.accumulate(share for _, share in named), (name for name, _ in named), strict=True))
