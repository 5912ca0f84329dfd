"""Looser counts: how many fewer sites, racks or nodes, and which wider bounds on instances, are enough."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from controller.planning.explaining.clauses import Clause, Edit, changing
from controller.planning.explaining.loosening import MOST_STEPS, Loosening, smallest
from controller.planning.explaining.questions import Questions
from policy.words import counted
from rules.kernel.formulation import Count, Distinct, Row

UNITS: Final = ("site", "rack", "node")
"""What places are counted by, the widest first."""


def fewer_places(asked: Questions, clause: Clause, base: Edit) -> Iterator[Loosening]:
    """Fewer of the one unit that binds; of several units together where no single one is enough."""
    least = {row.unit: row.least for row in asked.rows_of[clause] if isinstance(row, Distinct)}
    found = False
    for unit in sorted(least, key=UNITS.index):
        by = smallest(range(1, least[unit] + 1), _are_enough(asked, clause, base, {}, unit))
        if by is not None:
            found = True
            yield _told(clause, base, least, {unit: by[0]}, least_is_proven=by[1])
    if not found and len(least) > 1 and asked.possible(_fewer(clause, base, least)):
        yield _of_several(asked, clause, base, least)


def _of_several(asked: Questions, clause: Clause, base: Edit, least: Mapping[str, int]) -> Loosening:
    """As few fewer of each unit as are enough together, the widest unit first: nothing of it can be given back."""
    fewer, proven = dict(least), True
    for unit in sorted(least, key=UNITS.index):
        by = smallest(range(least[unit] + 1), _are_enough(asked, clause, base, fewer, unit))
        if by is not None:
            fewer[unit], proven = by[0], proven and by[1]
    return _told(clause, base, least, {unit: by for unit, by in fewer.items() if by}, least_is_proven=proven)


def _are_enough(
    asked: Questions, clause: Clause, base: Edit, fewer: Mapping[str, int], unit: str
) -> Callable[[int], bool | None]:
    """Whether so many fewer of a unit are enough, with what there are fewer of other units."""
    return lambda by: asked.possible(_fewer(clause, base, {**fewer, unit: by}))


def _fewer(clause: Clause, base: Edit, fewer: Mapping[str, int]) -> Edit:
    def change(row: Row) -> Row:
        return replace(row, least=row.least - fewer.get(row.unit, 0)) if isinstance(row, Distinct) else row

    return changing(clause, base, change)


def _told(
    clause: Clause, base: Edit, least: Mapping[str, int], fewer: Mapping[str, int], *, least_is_proven: bool
) -> Loosening:
    words = [f"{counted(least[unit] - by, unit)} instead of {least[unit]}" for unit, by in fewer.items()]
    return Loosening(
        f"ask for {' and '.join(words)}", sum(fewer.values()), least_is_proven, _fewer(clause, base, fewer)
    )


def wider_bounds(asked: Questions, clause: Clause, base: Edit) -> Iterator[Loosening]:
    """A lower least, or a higher most; either is enough by itself."""
    rows = [row for row in asked.rows_of[clause] if isinstance(row, Count)]
    lowest = max(row.lowest for row in rows)
    highest = min((row.highest for row in rows if row.highest is not None), default=None)

    def looser(down: int, up: int) -> Edit:
        def change(row: Row) -> Row:
            if not isinstance(row, Count):
                return row
            return replace(
                row, lowest=max(0, row.lowest - down), highest=None if row.highest is None else row.highest + up
            )

        return changing(clause, base, change)

    by = smallest(range(1, min(lowest, MOST_STEPS) + 1), lambda by: asked.possible(looser(by, 0)))
    if by is not None:
        what = f"let {counted(lowest - by[0], 'instance')} be enough instead of {lowest}"
        yield Loosening(what, by[0], by[1], looser(by[0], 0))
    if highest is not None:
        by = smallest(range(1, MOST_STEPS + 1), lambda by: asked.possible(looser(0, by)))
        if by is not None:
            what = f"allow {counted(highest + by[0], 'instance')} instead of {highest}"
            yield Loosening(what, by[0], by[1], looser(0, by[0]))
