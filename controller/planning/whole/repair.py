"""Rows that a plan breaks are mended a few at a time, exactly, with everything else left where it is.

A *neighbourhood* is what a broken row speaks of and stands, the demands that are served by it, and the cheapest
alternatives for both, on the nodes with the most room. What is open there is solved with every row that touches it
(`residual`), so mending one row breaks no other.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

from controller.planning.objective import cost_of, shortfall
from controller.planning.solve import solve
from controller.planning.whole.frames import HELD_PART
from controller.planning.whole.giving_up import given_up, least_given_up
from controller.planning.whole.lacking import lacking
from controller.planning.whole.letting_go import fewest, let_go
from controller.planning.whole.reading import Hard, Reading, keeps
from controller.planning.whole.residual import Open, fixed, joined, part, residual
from controller.planning.whole.rows import Rows
from rules.kernel.formulation import (
    Assurance,
    Budget,
    Count,
    Distinct,
    Exclusive,
    Flow,
    Formulation,
    Gathered,
    Ladder,
    Penalty,
    Resource,
)
from rules.kernel.latest import Latest
from rules.kernel.plan import Plan
from rules.kernel.problem import Demand, Path, Problem

WORK: Final = 0.1
"""Deterministic time of a neighbourhood."""
GAP_PART: Final = 1_000
"""A mended plan may cost more than the cheapest by such a part of what all nodes cost: proving the rest takes long."""
NARROW: Final = 4
WIDE: Final = 12
"""Alternatives for what a broken row speaks of, and for each stage of the demands that it touches."""


class Attempt(NamedTuple):
    """How wide a neighbourhood is; whether services may give up more for it, and whether what stands stays there."""

    width: int
    may_give_up: bool = True
    stays: bool = False


ATTEMPTS: Final = (
    Attempt(NARROW, may_give_up=False, stays=True),
    Attempt(NARROW, may_give_up=False),
    Attempt(WIDE),
    Attempt(30),
    Attempt(NARROW),
)
"""What is left open in a large part is found in a small one, and a lost node needs no more than room elsewhere."""
MOST_SERVICES: Final = 6
"""Whose demands are open at a time."""
MOST_POWERED: Final = 100
MOST_RELIEVED: Final = 8
"""So often a node is looked at in the end; again, when others have changed."""
PATHS: Final = 25
"""Of a neighbourhood, times its width: the cheapest of each demand, but `FEWEST_PATHS` of each at least."""
FEWEST_PATHS: Final = 15
ROOMIEST: Final = 2
"""Nodes of a pool that are offered, of those that hold something and of those that do not."""
MOST_LACKING: Final = 64
"""Nodes of a pool that are offered on top where a service lacks so many instances, or groups with one."""


def broken(rows: Rows, at: Reading) -> tuple[Hard, ...]:
    """The rows that a plan does not keep, in order."""
    return tuple(rows.broken(at))


def repaired(rows: Rows, at: Reading, price: Mapping[str, float]) -> Reading:
    """The plan with what could be mended; what could not is still broken.

    What is degraded or refused is looked at as well: the search may have missed by a little what there is room for.
    """
    at, view = without_broken(rows, at, price), View(rows, price)
    short = at.levels.keys() | {rows.problem.demand(demand).service for demand in at.unserved}
    for service in sorted(short & rows.ladders.keys()):
        at = _given_more(view, at, rows.ladders[service])
    return at


def without_broken(rows: Rows, at: Reading, price: Mapping[str, float]) -> Reading:
    """The plan with the rows kept that can be mended."""
    view = View(rows, price)
    for attempt in ATTEMPTS:
        for row in broken(rows, at):
            if not keeps(row, at, rows.tops):
                at = _mended(view, at, row, attempt)
    return at


def relieved(rows: Rows, at: Reading, price: Mapping[str, float], most: int = MOST_RELIEVED) -> Reading:
    """The plan with what stands on the nodes that are used worst placed anew, where that is cheaper.

    It is for fleets of which a node is a considerable part.
    """
    if len(at.powered) > MOST_POWERED:
        return at
    view, seen = View(rows, price), set[str]()
    for _ in range(most):
        node = _worst_used(view, at, seen)
        if not node:
            break
        here = tuple(sorted({option for option, place in at.counts if place == node}))
        better = _cheaper(view, at, _neighbourhood(view, at, here, _served(view, at, here), NARROW))
        seen = {node} if better is not at else {*seen, node}
        at = better
    return at


@dataclass(frozen=True)
class View:
    """What all neighbourhoods of a form need."""

    rows: Rows
    price: Mapping[str, float]

    @cached_property
    def demands_of(self) -> Mapping[str, tuple[Demand, ...]]:
        """By service."""
        found: defaultdict[str, list[Demand]] = defaultdict(list)
        for demand in self.rows.problem.demands:
            found[demand.service].append(demand)
        return {service: tuple(demands) for service, demands in found.items()}

    @cached_property
    def nodes_of(self) -> Mapping[str, tuple[str, ...]]:
        """By pool."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for node in self.rows.problem.nodes:
            found[node.pool].append(node.name)
        return {pool: tuple(nodes) for pool, nodes in found.items()}

    @cached_property
    def asked_of(self) -> Mapping[str, tuple[Hard, ...]]:
        """By service, the rows that are asked of it until it gives up."""
        found: defaultdict[str, list[Hard]] = defaultdict(list)
        for row in self.rows.hard:
            for service in row.services if isinstance(row, Distinct | Flow) else ():
                found[service].append(row)
        return {service: tuple(rows) for service, rows in found.items()}

    @cached_property
    def gap(self) -> int:
        """Millicents an hour that a mended plan may cost more than the cheapest."""
        return sum(self.rows.prices.nodes.values()) // GAP_PART

    @cached_property
    def load(self) -> Callable[[Reading], Mapping[str, float]]:
        """Of a plan, by node, the parts of it that its instances take, summed."""
        return Latest(self._load)

    def _load(self, at: Reading) -> Mapping[str, float]:
        found: defaultdict[str, float] = defaultdict(float)
        for (option, node), count in at.counts.items():
            found[node] += count * self.rows.parts.get(option, 0.0)
        return found


class Left(NamedTuple):
    """What is left to decide, with the rows on it; what of a plan stays, and what of it is open."""

    problem: Problem
    form: Formulation
    stays: Reading
    before: Plan

    def solved(self, most: int | None = None, gap: int = 0) -> Plan | None:
        """The best part found for what is open, that costs at most so much."""
        return solve(self.form, self.problem, self.before, WORK, most=most, gap=gap).plan

    def without_giving_up_more(self) -> int | None:
        """What a plan costs at the most that gives up no more than now: a permille is worth more than all nodes.

        None where nothing can be given up.
        """
        prices = [price for row in self.form.rows if isinstance(row, Penalty) for _, price in row.unserved]
        return shortfall(self.before, self.form) + min(prices) if prices else None

    def with_part(self, found: Plan) -> Reading:
        """The whole plan with a part."""
        return joined(self.stays, Reading.of(found))


def _worst_used(view: View, at: Reading, seen: Collection[str]) -> str:
    """The node whose price is used worst, of those that were not seen as things stand; empty when all were."""
    load = view.load(at)
    left = at.powered.difference(seen)
    waste = {node: view.rows.prices.nodes.get(node, 0) * (1 - load[node]) for node in left}
    return min(left, key=lambda node: (-waste[node], node), default="")


def _mended(view: View, at: Reading, row: Hard, attempt: Attempt) -> Reading:
    """The plan with a row kept if that can be."""
    width, may_give_up, stays = attempt
    spoken = tuple(dict.fromkeys(_spoken(view, at, row, width)))
    services = _own(view, row) or _served(view, at, [option for option in spoken if option in at.by_option])
    left = _left(view, at, _neighbourhood(view, at, spoken, services, width, stays=stays))
    found = left.solved(None if may_give_up else left.without_giving_up_more(), view.gap)
    if found is None and may_give_up and isinstance(row, Count):
        return let_go(view.rows, at, row)
    if found is None or (not may_give_up and shortfall(found, left.form) > shortfall(left.before, left.form)):
        return at
    return left.with_part(found)


def _given_more(view: View, at: Reading, ladder: Ladder) -> Reading:
    """The plan with less of a service degraded or refused, where that can be and pays: among few paths, then more."""
    least = least_given_up(view.rows, ladder.service)
    asked: Open | None = None
    for width in (NARROW, WIDE):
        if given_up(view.rows, at, ladder.service) > least:
            opened = _around(view, at, ladder, width)
            better = at if opened == asked else _given_more_among(view, at, ladder, opened)
            at, asked = better, opened if better is at else None
    return at


def _around(view: View, at: Reading, ladder: Ladder, width: int) -> Open:
    """A service, with room for what it lacks."""
    spoken = tuple(dict.fromkeys(_spoken(view, at, ladder, width)))
    room = max((lacking(row, at) for row in view.asked_of.get(ladder.service, ())), default=0)
    return _neighbourhood(view, at, spoken, (ladder.service,), width, room=room)


def _given_more_among(view: View, at: Reading, ladder: Ladder, opened: Open) -> Reading:
    """Only plans that give up less are looked at: that there is none is far less to see than which is cheapest."""
    left = _left(view, at, opened)
    permille = min(view.rows.prices.unserved.get(demand, 0) for demand in ladder.demands)
    found = left.solved(cost_of(left.before, left.form) - permille // 2, view.gap)
    return at if found is None else left.with_part(found)


def _cheaper(view: View, at: Reading, opened: Open) -> Reading:
    """The plan with what is open placed anew, where that is cheaper."""
    left = _left(view, at, opened)
    found = left.solved()
    is_cheaper = found is not None and cost_of(found, left.form) < cost_of(left.before, left.form)
    return left.with_part(found) if found is not None and is_cheaper else at


def _left(view: View, at: Reading, opened: Open) -> Left:
    stays = fixed(view.rows, at, opened)
    return Left(opened.problem, residual(view.rows, stays, opened), stays, part(at, opened).plan())


def _neighbourhood(
    view: View,
    at: Reading,
    spoken: Sequence[str],
    services: Sequence[str],
    width: int,
    *,
    room: int = 0,
    stays: bool = False,
) -> Open:
    problem = view.rows.problem
    standing = tuple(option for option in spoken if option in at.by_option)
    others = _apart(view, (option for option in spoken if option not in at.by_option), width)
    if width > NARROW:
        crowd = _in_the_way(view, at, others[:1])
        standing, services = (*standing, *crowd), (*services, *_served(view, at, crowd))
    demands = [demand for service in dict.fromkeys(services) for demand in view.demands_of.get(service, ())]
    most = max(FEWEST_PATHS, PATHS * width // max(1, len(demands)))
    paths = {demand.id: _paths(view, at, demand, others, most) for demand in demands}
    options = {*standing, *others, *(o for chosen in paths.values() for path in chosen for o in path.options)}
    nodes = _roomy(view, at, options, ROOMIEST + min(room, MOST_LACKING))
    if not stays:
        nodes |= {node for option, node in at.counts if option in options}
    return Open(
        replace(
            problem,
            demands=tuple(demand for demand in problem.demands if demand.id in paths),
            options=tuple(option for option in problem.options if option.id in options),
            paths=tuple(path for demand in problem.demands for path in paths.get(demand.id, ())),
            nodes=tuple(node for node in problem.nodes if node.name in nodes),
        )
    )


def _in_the_way(view: View, at: Reading, options: Sequence[str]) -> tuple[str, ...]:
    """What stands on the roomiest nodes where these options could stand: it may have to go elsewhere."""
    pools = {view.rows.problem.option(option).placement.pool for option in options}
    load = view.load(at)
    nodes = [node for pool in sorted(pools) for node in view.nodes_of.get(pool, ()) if node in at.powered]
    emptiest = set(sorted(nodes, key=lambda node: (load[node], node))[:ROOMIEST])
    return tuple(dict.fromkeys(option for option, node in sorted(at.counts) if node in emptiest))


def _spoken(view: View, at: Reading, row: Hard, width: int) -> Iterable[str]:
    """The options that a row speaks of, as far as they matter to mending it."""
    rows = view.rows
    match row:
        case Count() | Exclusive() | Gathered():
            return fewest(at, row, width) if isinstance(row, Count) else row.options
        case Resource():
            return (option for option, _ in row.use if option in at.by_option)
        case Distinct():
            free = (o for group, held in zip(row.groups, at.held(row), strict=True) if not held for o, _ in group)
            return (*(o for group in row.groups for o, _ in group if o in at.by_option), *free)
        case Flow():
            taken = (o for path, _ in row.shares if path in at.shares for o in rows.problem.path(path).options)
            return (*(option for option, _ in row.instances), *taken)
        case Budget():
            priced = {node for node, price in row.prices_millicents if price}
            load = view.load(at)
            emptiest = set(sorted(priced & load.keys(), key=lambda node: (load[node], node))[:width])
            carried = sorted(
                (-price * at.shares[path], path) for path, price in row.carried_millicents if path in at.shares
            )
            return (
                *(option for option, node in sorted(at.counts) if node in emptiest),
                *(option for _, path in carried[:width] for option in rows.problem.path(path).options),
            )
        case Ladder() | Assurance():
            return (
                option
                for demand in row.demands
                for path in rows.usable[demand]
                if path.id in at.shares
                for option in path.options
            )


def _apart(view: View, options: Iterable[str], width: int) -> tuple[str, ...]:
    """The cheapest options that may stand, each in a pool of its own."""
    best: dict[str, tuple[float, str]] = {}
    for option in (option for option in options if option not in view.rows.never):
        pool = view.rows.problem.option(option).placement.pool
        offer = view.price[option], option
        best[pool] = min(best.get(pool, offer), offer)
    return tuple(option for _, option in sorted(best.values())[:width])


def _own(view: View, row: Hard) -> tuple[str, ...]:
    """The services that a row is of."""
    if isinstance(row, Ladder | Assurance):
        return (row.service,) if row.service in view.demands_of else ()
    if isinstance(row, Distinct | Flow) and row.services:
        return tuple(name for name in row.services if name in view.demands_of)
    if isinstance(row, Flow):
        return tuple(dict.fromkeys(view.rows.problem.demand(demand).service for demand, _ in row.unserved))
    return ()


def _served(view: View, at: Reading, options: Sequence[str]) -> tuple[str, ...]:
    """The services that send most over some options."""
    sent: Counter[str] = Counter()
    wanted = set(options)
    for path, share in at.shares.items() if wanted else ():
        found = view.rows.problem.path(path)
        if not wanted.isdisjoint(found.options):
            sent[view.rows.problem.demand(found.demand).service] += share
    return tuple(sorted(sent, key=lambda service: (-sent[service], service))[:MOST_SERVICES])


def _paths(view: View, at: Reading, demand: Demand, others: Sequence[str], most: int) -> tuple[Path, ...]:
    """The paths in use, the cheapest, and the cheapest over each of `others`."""
    usable = view.rows.usable[demand.id]
    delivered = view.rows.delivered(demand.id, view.price, usable)
    price = {
        option: (HELD_PART if option in at.by_option else 1.0) * delivered[option]
        for option in {option for path in usable for option in path.options}
    }
    ranked = sorted(
        (sum(price[option] for option in path.options), path.id, place) for place, path in enumerate(usable)
    )
    paths = [usable[place] for _, _, place in ranked]
    chosen = {path.id: path for path in paths if path.id in at.shares} | {p.id: p for p in paths[:most]}
    for option in others if not price.keys().isdisjoint(others) else ():
        first = next((path for path in paths if option in path.options), None)
        chosen |= {} if first is None else {first.id: first}
    return tuple(chosen[name] for name in sorted(chosen))


def _roomy(view: View, at: Reading, options: Iterable[str], most: int) -> frozenset[str]:
    """Of the pools of some options, the roomiest nodes of those in use and some empty ones."""
    load = view.load(at)
    found: set[str] = set()
    for pool in sorted({view.rows.problem.option(option).placement.pool for option in options}):
        nodes = view.nodes_of.get(pool, ())
        used = sorted((node for node in nodes if node in at.powered), key=lambda node: (load[node], node))
        found.update(used[:most], [node for node in nodes if node not in at.powered][:most])
    return frozenset(found)
