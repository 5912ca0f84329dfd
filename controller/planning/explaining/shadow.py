"""What one more node of a pool would save, and twice the bandwidth of a link.

A linear programme over pools prices everything at once, but nodes are bought whole, and what it says of the next one
may be wrong. So its prices only choose what to look at: what is told is the difference of two plans. On a small fleet
both are CP-SAT's; on a large one both are the linear programme's, and "about". A pool with a node to spare has none.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from controller.decision import Proof
from controller.performance.pipeline import chains
from controller.planning.build import write
from controller.planning.explaining.clauses import EVERYTHING
from controller.planning.explaining.loosen_room import grown
from controller.planning.explaining.questions import Questions
from controller.planning.explaining.shadow_over_pools import Gain, OverPools
from controller.planning.objective import cost_of, prices, shortfall
from controller.planning.pooled.form import PooledForm
from controller.planning.pooled.linear import matrix, minimise
from controller.planning.solve import solve
from controller.planning.whole.size import is_small
from controller.planning.work import OTHER_PLAN_WORK
from policy.resolved import Link
from rules.kernel.formulation import Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Path, Problem

MOST: Final = 6
"""Pools, and links, that are looked at: those whose price promises most."""
PROMISING: Final = 1.0
"""Prices below this many millicents an hour are rounding."""


@dataclass(frozen=True, slots=True)
class ShadowPrice:
    """What an hour costs less with one more node of `pool`, or with `link` twice as wide (two sites).

    `served_permille` is what would be served more, of whatever is refused now, summed over demands. `about` is false
    where both plans are proven to be the cheapest; it is `at_least` so much where only some paths were looked at.
    """

    pool: str
    link: tuple[str, str] | None
    saves_millicents_per_hour: int
    served_permille: int
    about: bool
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class _Priced:
    """A problem's least cost but for degrading and refusing, and what is refused in permille; `exact` when proven."""

    cost: float
    refused: float
    exact: bool


def shadow_prices(plan: Plan, problem: Problem, whole: Problem, running: Plan) -> tuple[ShadowPrice, ...]:
    """What a plan would gain by having more of, the dearest first; `whole` has also the paths that are barred."""
    pool_of, on = {node.name: node.pool for node in problem.nodes}, Counter[str]()
    on.update(pool_of[node] for node in plan.powered())
    full = [pool for pool, nodes in Counter(pool_of.values()).items() if on[pool] == nodes]
    found = _small(plan, problem, whole, running, full) if is_small(problem) else _large(whole, running, full)
    worth = (item for item in found if item.saves_millicents_per_hour > 0 or item.served_permille > 0)
    return tuple(sorted(worth, key=lambda i: (-i.served_permille, -i.saves_millicents_per_hour, i.pool, i.link or ())))


def _small(plan: Plan, problem: Problem, whole: Problem, running: Plan, full: list[str]) -> Iterator[ShadowPrice]:
    """The differences to plans of CP-SAT."""
    form = _form(problem, running)
    pooled = PooledForm(form, problem)
    solution = minimise(matrix(pooled), pooled.cost, pooled.upper)
    if solution is None:
        return
    now = _priced(form, problem, plan)
    price = {pool: -float(solution.reduced[column]) for pool, column in pooled.powered.items()}
    for pool in sorted(full, key=lambda p: (-price[p], p))[:MOST]:
        larger = grown(problem, pool, 1)
        yield _difference(now, _priced(_form(larger, running), larger, plan), pool, None)
    for link, quicker in _wider(whole):
        paths = tuple(quicker.get(path.id, path) for path in whole.paths)
        asked = Questions(replace(whole, paths=paths), running).priced(EVERYTHING)
        yield _difference(now, _priced(asked.form, asked.problem, plan), "", (link.a, link.b))


def _large(whole: Problem, running: Plan, full: list[str]) -> Iterator[ShadowPrice]:
    """The differences over pools."""
    over_pools = OverPools(whole, running)
    price = {pool: over_pools.price(pool) for pool in full}
    promising = [pool for pool in sorted(full, key=lambda p: (-price[p], p)) if price[pool] > PROMISING]
    for pool in promising[:MOST]:
        yield from _gained(over_pools.with_node(pool), pool, None)
    for link, quicker in _wider(whole):
        met = [n for n, path in quicker.items() if _misses(whole.path(n), whole) and not _misses(path, whole)]
        yield from _gained(over_pools.with_paths(met), "", (link.a, link.b))


def _gained(gain: Gain | None, pool: str, link: tuple[str, str] | None) -> Iterator[ShadowPrice]:
    if gain is not None:
        served = round(gain.served_permille)
        saves = round(gain.millicents) if served <= 0 else 0
        yield ShadowPrice(pool, link, saves, max(0, served), about=True, at_least=True)


def _difference(now: _Priced, then: _Priced, pool: str, link: tuple[str, str] | None) -> ShadowPrice:
    about = not (now.exact and then.exact)
    served = round(now.refused - then.refused)
    return ShadowPrice(pool, link, round(now.cost - then.cost) if served <= 0 else 0, max(0, served), about)


def _form(problem: Problem, running: Plan) -> Formulation:
    form = write(problem)
    form.add(prices(problem, running))
    return form


def _priced(form: Formulation, problem: Problem, hint: Plan) -> _Priced:
    if is_small(problem):
        found = solve(form, problem, hint, OTHER_PLAN_WORK)
        if found.plan is not None:
            refused = sum(item.share_permille for item in found.plan.unserved)
            cost = cost_of(found.plan, form) - shortfall(found.plan, form)
            return _Priced(cost, refused, found.proof is Proof.OPTIMAL)
    pooled = PooledForm(form, problem)
    solution = minimise(matrix(pooled), pooled.cost, pooled.upper)
    if solution is None:
        return _Priced(np.inf, np.inf, exact=False)
    refused_columns = list(pooled.unserved.values())
    prices_alone = np.array(pooled.cost, np.float64)
    prices_alone[[*refused_columns, *pooled.at_least.values()]] = 0
    return _Priced(float(prices_alone @ solution.value), float(solution.value[refused_columns].sum()), exact=False)


def _wider(whole: Problem) -> Iterator[tuple[Link, dict[str, Path]]]:
    """Each link that lets paths meet an objective which they miss once it is twice as wide, the most first.

    With it the paths that are quicker then, by name.
    """
    crossing = _crossing(whole)
    found = []
    for link in whole.policy.links:
        old = crossing.get(frozenset((link.a, link.b)), [])
        late = [path for path in old if _misses(path, whole)]
        freed = sum(not _misses(_quicker(path, link, whole), whole) for path in late)
        if freed:
            found.append((-freed, link.a, link.b, link, old))
    for *_, link, old in sorted(found, key=lambda item: item[:3])[:MOST]:
        yield link, {path.id: _quicker(path, link, whole) for path in old}


def _crossing(problem: Problem) -> dict[frozenset[str], list[Path]]:
    """By the two ends of a link, the paths that cross it."""
    site = {option.id: problem.site_of(option) for option in problem.options}
    origin = {demand.id: demand.origin for demand in problem.demands}
    found: dict[frozenset[str], list[Path]] = {}
    for path in problem.paths:
        for ends in {frozenset((origin[path.demand], site[option])) for option in path.options}:
            found.setdefault(ends, []).append(path)
    return found


def _quicker(path: Path, link: Link, problem: Problem) -> Path:
    """The path with payloads over a link in half the time: its latency falls by what is saved on any of its chains."""
    demand = problem.demand(path.demand)
    stages = problem.service_of(demand).stages
    sites = [problem.site_of(problem.option(option)) for option in path.options]
    saved_us = [
        stage.sent_bytes(path.encoding(at)) * 4_000 // link.bandwidth_kbps
        if {demand.origin, site} == {link.a, link.b}
        else 0
        for at, (stage, site) in enumerate(zip(stages, sites, strict=True))
    ]
    least_us = min(sum(saved_us[at] for at in chain) for chain in chains(stages))
    return path._replace(latency_us=tuple((bp, max(0, value_us - least_us)) for bp, value_us in path.latency_us))


def _misses(path: Path, problem: Problem) -> bool:
    demand = problem.demand(path.demand)
    objectives = problem.service_of(demand).latency_from(demand.origin)
    return any(path.promised_us(o) > o.below_us for o in objectives)
