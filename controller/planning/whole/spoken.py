"""Of a broken row: the options that matter to mending it, the services that it is of, and who is served by what."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from controller.planning.whole.letting_go import fewest
from controller.planning.whole.reading import Hard, Reading
from controller.planning.whole.view import View
from rules.kernel.formulation import (
    Assurance,
    Budget,
    Count,
    Distinct,
    Exclusive,
    Flow,
    Gathered,
    Ladder,
    Resource,
)

MOST_SERVICES: Final = 6
"""Whose demands are open at a time."""


def spoken_of(view: View, at: Reading, row: Hard, width: int) -> Iterable[str]:
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


def owners(view: View, row: Hard) -> tuple[str, ...]:
    """The services that a row is of."""
    if isinstance(row, Ladder | Assurance):
        return (row.service,) if row.service in view.demands_of else ()
    if isinstance(row, Distinct | Flow) and row.services:
        return tuple(name for name in row.services if name in view.demands_of)
    if isinstance(row, Flow):
        return tuple(dict.fromkeys(view.rows.problem.demand(demand).service for demand, _ in row.unserved))
    return ()


def served(view: View, at: Reading, options: Sequence[str]) -> tuple[str, ...]:
    """The services that send most over some options."""
    sent: Counter[str] = Counter()
    wanted = set(options)
    for path, share in at.shares.items() if wanted else ():
        found = view.rows.problem.path(path)
        if not wanted.isdisjoint(found.options):
            sent[view.rows.problem.demand(found.demand).service] += share
    return tuple(sorted(sent, key=lambda service: (-sent[service], service))[:MOST_SERVICES])
