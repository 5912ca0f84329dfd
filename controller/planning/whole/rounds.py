"""Planning a fleet that is too large to be solved whole: search, routes, repair; the verifier judges the result.

The search plans what arrays can say (`translate`). A first round is free; the next ones are held to what it liked best
(`frames`). Then the requests are routed exactly, and rows that arrays cannot say and luck did not keep are mended.
Everything counts work and not time, so that the same problem gets the same plan on every machine.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from controller.decision import Proof
from controller.planning.fleet.packed import EMPTY, PackedPlan, PackedProblem
from controller.planning.fleet.search import Search, search_tries
from controller.planning.objective import cost_of, shortfall
from controller.planning.solve import Solved
from controller.planning.whole.excess import outnumbered, overspent
from controller.planning.whole.frames import Held, first_frame, kept_standing, next_frame, unit_prices
from controller.planning.whole.reading import Counts, Reading
from controller.planning.whole.relief import MOST_POWERED, MOST_RELIEVED, relieved
from controller.planning.whole.repair import broken, repaired, without_broken
from controller.planning.whole.routes import routed
from controller.planning.whole.rows import Rows
from controller.planning.whole.staying import staying
from controller.planning.whole.translate import translate
from controller.planning.whole.trim import trimmed
from rules.kernel.formulation import Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem

FREE_TRIES: Final = 2_000
HELD_TRIES: Final = 4_000
"""Of each round; some thousand tries take a second."""
PATIENCE: Final = 2
"""So many times as many tries before a service is degraded further: mostly the search was in haste."""
MOST_ROUNDS: Final = 6
"""Held rounds: more than one only where a degrade step, a floor, a budget or a count has to be taken into account."""
MOST_MENDED: Final = 64
"""Rows that are mended where what runs breaks them; where it breaks more, all is planned anew."""
MORE_GIVEN_UP: Final = 1.02
"""So many times as much may be given up in place as what runs gives up: as much can come of luck in planning anew."""
AT_REST: Final = 2
"""Nodes that are looked at where what runs is kept: others were when it was planned."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How many times as many tries as in a turn of the loop, and what ends them early."""

    times: int = 1
    stop: threading.Event = field(default_factory=threading.Event)


USUAL: Final = Effort()
NOTHING: Final = Solved(None, Proof.UNDECIDED, 0, 0, 0.0)


def plan_fleet(
    form: Formulation, problem: Problem, running: Plan, below: int | None = None, effort: Effort = USUAL
) -> Solved:
    """A plan that keeps every row, near the cheapest, starting from what runs; no plan when none was found.

    What runs on more than `MOST_POWERED` nodes stays where it is a plan, but for what it degrades or refuses and what
    is over: another is hundreds of moves away, and slows other instances down than it was made for. A search with more
    than the usual effort looks for one.

    With `below`, only a plan whose degrading and refusing costs less is wanted: it is looked for near what runs where
    that is nearly a plan, because luck finds other plans that cost a little less everywhere.
    """
    rows = Rows(problem, form)
    before = Reading.of(running)
    there = _still_there(rows, before)
    stays = effort is USUAL and len(before.powered) > MOST_POWERED
    at = _mended(rows, there, 1 if below is None and not stays else 0)
    if at is None or _gives_up_more(rows, at, there):
        at = _cheaper(rows, at, _planned_anew(rows, before, effort))
    if at is None or (below is not None and shortfall(at.plan(), form) >= below):
        return NOTHING
    at = relieved(rows, at, unit_prices(rows, at.counts), AT_REST if at == before else MOST_RELIEVED)
    if broken(rows, at):
        return NOTHING
    found = at.plan()
    return Solved(found, Proof.FEASIBLE, cost_of(found, form), 0, 0.0)


def mended(form: Formulation, problem: Problem, start: Plan) -> Plan | None:
    """A plan with what it breaks mended in its place, though more is given up for it; None where rows stay broken."""
    rows = Rows(problem, form)
    there = _still_there(rows, Reading.of(start))
    at = staying(rows, without_broken(rows, there, unit_prices(rows, there.counts)), there)
    return None if broken(rows, at) else at.plan()


def _mended(rows: Rows, there: Reading, least: int) -> Reading | None:
    """What runs with what it breaks mended in its place, where that is little, if at least so many rows.

    None where rows stay broken.
    """
    served = there.counts and _serves_most(rows, there)
    if not served or not least <= len(broken(rows, there)) <= MOST_MENDED:
        return None
    at = staying(rows, repaired(rows, there, unit_prices(rows, there.counts)), there)
    return None if broken(rows, at) else trimmed(rows, at)


def _gives_up_more(rows: Rows, at: Reading, there: Reading) -> bool:
    """Whether what is given up is so much more than before that another plan may well save some of it."""
    return shortfall(at.plan(), rows.form) > MORE_GIVEN_UP * shortfall(there.plan(), rows.form)


def _cheaper(rows: Rows, mended: Reading | None, anew: Reading | None) -> Reading | None:
    """The one of two plans, where there are both and neither breaks a row."""
    if mended is None or anew is None or broken(rows, anew):
        return mended or anew
    return min(mended, anew, key=lambda at: cost_of(at.plan(), rows.form))


def _still_there(rows: Rows, before: Reading) -> Reading:
    """What runs, less the options and the paths that the problem does not know or bars, or no longer has."""
    options = {option.id for option in rows.problem.options} - rows.never
    paths = {path.id for paths in rows.usable.values() for path in paths}
    return Reading.made(
        {key: count for key, count in before.counts.items() if key[0] in options},
        {path: share for path, share in before.shares.items() if path in paths},
        before.unserved,
        before.levels,
    )


def _planned_anew(rows: Rows, before: Reading, effort: Effort) -> Reading | None:
    """The best that rounds of the search come to, or what runs where that is a cheaper plan; None without any."""
    runs, form = before.counts, rows.form
    held = Held({}, frozenset(), kept_standing(rows, runs))
    counts = runs if _serves_most(rows, before) else _free(rows, runs, effort)
    for _ in range(MOST_ROUNDS):
        frame = next_frame(rows, counts, held)
        arrays = translate(rows, frame)
        start = arrays.packed(counts)
        plan = _searched(arrays.problem, start, HELD_TRIES, effort)
        if _steeper(rows, held.levels, before.levels, arrays.short(plan)):
            plan = _searched(arrays.problem, start, PATIENCE * HELD_TRIES, effort)
        counts = arrays.counts(plan)
        short = arrays.short(plan) | {demand for demand, box in frame.boxes.items() if not box}
        further = Held(
            {**held.levels, **_steeper(rows, held.levels, before.levels, short)},
            held.closed_nodes | overspent(rows, counts, held.reserved),
            held.reserved,
            held.closed_options | outnumbered(rows, counts),
        )
        if further == held or effort.stop.is_set():
            break
        held = further
    at = None if effort.stop.is_set() else routed(rows, counts)
    if at is None:
        return None
    at = repaired(rows, at, unit_prices(rows, at.counts))
    if _stands(rows, before) and (broken(rows, at) or cost_of(before.plan(), form) < cost_of(at.plan(), form)):
        return before
    return at


def _serves_most(rows: Rows, before: Reading) -> bool:
    """Whether what runs is worth beginning with."""
    return 2 * len(before.unserved) < len(rows.problem.demands)


def _free(rows: Rows, runs: Counts, effort: Effort) -> Counts:
    """What a search finds that is held to nothing."""
    free = translate(rows, first_frame(rows, runs))
    return free.counts(_searched(free.problem, free.packed(runs), FREE_TRIES, effort))


def _stands(rows: Rows, before: Reading) -> bool:
    """Whether what runs is a plan by itself: it knows no other options and paths, and keeps every row."""
    return _still_there(rows, before) == before and not broken(rows, before)


def _searched(problem: PackedProblem, start: PackedPlan, tries: int, effort: Effort) -> PackedPlan:
    if not problem.option_pool.size:
        return EMPTY
    search = Search(problem, start)
    search_tries(search, effort.times * tries, effort.stop)
    return search.plan


def _steeper(rows: Rows, levels: Mapping[str, int], before: Mapping[str, int], short: frozenset[str]) -> dict[str, int]:
    """The next level that opens a path, or that of what runs, for services of which something stays unserved."""
    services = {rows.problem.demand(demand).service for demand in short} & rows.ladders.keys()
    found = {}
    for service in sorted(services):
        level = levels.get(service, 0)
        opening = [gate for _, gate in rows.ladders[service].gates if gate > level]
        if before.get(service, 0) > level:
            found[service] = before[service]
        elif opening:
            found[service] = min(opening)
    return found
