"""From round to round: what a search is held to, given what the one before it found.

The first round is free. What it likes best is then made binding: one of each set of options that exclude each other,
one group of nodes for options that stay together, a site or a node more where instances have to be spread, fewer nodes
where a budget is overspent, options that answer more where there are too many instances, and a further degrade step
where something stays unserved.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from controller.planning.whole.asked import Frame
from controller.planning.whole.boxes import Box, boxes, members
from controller.planning.whole.gathering import kept_to
from controller.planning.whole.reading import Counts
from controller.planning.whole.rows import Rows
from rules.kernel.formulation import Count, Distinct, Exclusive

HELD_PART: Final = 0.5
"""What an option that stands already counts for, of its price, when boxes are chosen anew."""


def unit_prices(rows: Rows, counts: Counts) -> dict[str, float]:
    """By option, what a call a second costs at about its share of a node; less where it stands."""
    prices = rows.prices
    pool_price: dict[str, int] = {}
    for node in rows.problem.nodes:
        pool_price[node.pool] = prices.nodes.get(node.name, 0)
    held = {option for option, _ in counts}
    found = {}
    for option in rows.problem.options:
        whole = (
            1
            + rows.parts.get(option.id, 0.0) * pool_price.get(option.placement.pool, 0)
            + prices.instances.get(option.id, 0)
        )
        discount = HELD_PART if option.id in held else 1.0
        found[option.id] = discount * whole / max(rows.answers.offered.get(option.id, 1), 1)
    return found


def first_frame(rows: Rows, running: Counts) -> Frame:
    """Nothing is held to but the boxes."""
    return Frame(boxes(rows, unit_prices(rows, running), {}, rows.never))


@dataclass(frozen=True)
class Held:
    """What was found out so far: levels to take, nodes and options to leave alone, and instances that have to stay.

    What a demand has no path without is left alone by the others only.
    """

    levels: Mapping[str, int]
    closed_nodes: frozenset[str]
    reserved: Counts
    closed_options: frozenset[str] = frozenset()


def next_frame(rows: Rows, counts: Counts, held: Held) -> Frame:
    """What the last round's instances make binding."""
    levels = held.levels
    price = unit_prices(rows, counts)
    kept = kept_to(rows, counts, price, held.closed_nodes)
    never = rows.never | {option for option, nodes in kept.items() if not nodes}
    winners = _winners(rows, counts, boxes(rows, price, levels, never), price, held.closed_options)
    _reconciled(winners, levels, price)
    closed = never | winners.losers()
    chosen = boxes(rows, price, levels, closed)
    if held.closed_options:
        narrower = boxes(rows, price, levels, closed | held.closed_options)
        chosen = {demand: narrower[demand] or box for demand, box in chosen.items()}
    open_ = frozenset(option for box in chosen.values() for option in members(box))
    tokens = tuple(_tokens(rows, counts, open_, levels))
    instead = winners.instead()
    reserved = {(instead.get(option, option), node): count for (option, node), count in held.reserved.items()}
    return Frame(chosen, held.closed_nodes, tokens, reserved, instead, kept)


@dataclass(frozen=True)
class Winners:
    """Of each exclusive set, who stays. `set_of` has the set of each option, by its place among the rows.

    A winner `stands` when instances of it are there, and is `needed` when a demand has no path without it.
    """

    rows: Rows
    set_of: Mapping[str, int]
    best: dict[int, str]
    stands: frozenset[int]
    needed: set[int]

    def losers(self) -> frozenset[str]:
        """All others."""
        return frozenset(option for option, at in self.set_of.items() if self.best[at] != option)

    def instead(self) -> Mapping[str, str]:
        """By option that loses, the one of its set that stays."""
        return {option: self.best[at] for option, at in self.set_of.items() if self.best[at] != option}

    def against(self, options: Sequence[str]) -> tuple[int, int, int]:
        """How many winners some options are against that are needed, that stand, and in all."""
        lost = [self.set_of[o] for o in options if o in self.set_of and self.best[self.set_of[o]] != o]
        return sum(at in self.needed for at in lost), sum(at in self.stands for at in lost), len(lost)

    def let_win(self, options: Sequence[str]) -> None:
        """Open some options."""
        for option in options:
            if option in self.set_of:
                self.best[self.set_of[option]] = option
                self.needed.add(self.set_of[option])


def _winners(
    rows: Rows, counts: Counts, wide: Mapping[str, Box], price: Mapping[str, float], alone: frozenset[str]
) -> Winners:
    """Of each exclusive set the cheapest for a call, of those that stand, else of those that somebody may want.

    Those to be left alone come last.
    """
    standing = {option for option, _ in counts}
    wanted = {option for box in wide.values() for stage in box for option in stage}
    sets = {at: row.options for at, row in enumerate(rows.hard) if isinstance(row, Exclusive)}

    def liking(option: str) -> tuple[bool, bool, bool, float, str]:
        return option not in alone, option in standing, option in wanted, -price.get(option, 1.0), option

    best = {at: max(options, key=liking) for at, options in sets.items()}
    set_of = {option: at for at, options in sets.items() for option in options}
    return Winners(rows, set_of, best, frozenset(at for at, option in best.items() if option in standing), set())


def _reconciled(winners: Winners, levels: Mapping[str, int], price: Mapping[str, float]) -> None:
    """Let others win where a demand has no path left, against as few winners as can be."""
    rows = winners.rows
    for demand in rows.problem.demands:
        level = levels.get(demand.service, 0)
        paths = [path for path in rows.usable[demand.id] if rows.gates.get(path.id, 0) <= level]
        against = {path.id: winners.against(path.options) for path in paths}
        if paths and all(any(lost) for lost in against.values()):
            best = min(paths, key=lambda p: (against[p.id], sum(price[o] for o in p.options), p.id))
            winners.let_win(best.options)
    for row in rows.hard:
        if isinstance(row, Distinct):
            _spread(winners, row, price)


def _spread(winners: Winners, row: Distinct, price: Mapping[str, float]) -> None:
    """Let others win where too few groups have an option left."""
    kinds = Counter(frozenset(option for option, _ in group) for group in row.groups)
    offers = []
    for kind in kinds:
        best = min(((winners.against((option,)), price[option], option) for option in kind), default=None)
        if best is not None:
            offers.append((best, kinds[kind]))
    left = row.least
    for (against, _, option), groups in sorted(offers):
        if left > 0 and any(against):
            winners.let_win((option,))
        left -= groups


def _tokens(rows: Rows, counts: Counts, open_: frozenset[str], levels: Mapping[str, int]) -> Iterator[frozenset[str]]:
    """Disjoint sets of options, one instance of each of which keeps a row that asks for distinct groups."""
    by_option: Counter[str] = Counter()
    for (option, _), count in counts.items():
        by_option[option] += count
    known: dict[frozenset[str], list[tuple[int, Sequence[frozenset[str]]]]] = {}
    for row in rows.hard:
        if not isinstance(row, Distinct) or row.least <= 1:
            continue
        if any(levels.get(name, 0) and levels[name] == rows.tops.get(name) for name in row.services):
            continue
        kinds = {frozenset(option for option, _ in group) & open_ for group in row.groups} - {frozenset()}
        every = frozenset[str]().union(*kinds)
        ordered = sorted(kinds, key=lambda kind: (-sum(by_option[option] for option in kind), sorted(kind)))
        if any(least >= row.least and _finer(kinds, coarse) for least, coarse in known.get(every, ())):
            continue
        known.setdefault(every, []).append((min(row.least, len(ordered)), ordered))
        alone = ordered[: row.least - 1]
        rest = frozenset[str]().union(*ordered[row.least - 1 :])
        yield from (block for block in (*alone, rest) if block)


def _finer(kinds: set[frozenset[str]], coarse: Sequence[frozenset[str]]) -> bool:
    return all(any(kind <= whole for whole in coarse) for kind in kinds)


def kept_standing(rows: Rows, runs: Counts) -> dict[tuple[str, str], int]:
    """Instances that run and have to stay, for rows that ask for so many: those on the fullest nodes first."""
    load: Counter[str] = Counter()
    for (_, node), count in runs.items():
        load[node] += count
    standing: dict[str, list[tuple[str, int]]] = {}
    for (option, node), count in sorted(runs.items(), key=lambda item: (-load[item[0][1]], item[0])):
        standing.setdefault(option, []).append((node, count))
    found: Counter[tuple[str, str]] = Counter()
    by_option: Counter[str] = Counter()
    for row in rows.hard:
        need = row.lowest - sum(by_option[option] for option in row.options) if isinstance(row, Count) else 0
        for option in row.options if isinstance(row, Count) and need > 0 else ():
            for node, count in standing.get(option, ()) if option not in rows.never else ():
                more = max(0, min(need, count - found[option, node]))
                found[option, node] += more
                by_option[option] += more
                need -= more
    return {key: count for key, count in found.items() if count}
