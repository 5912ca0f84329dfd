"""Where a round of the search lets options stand that are to be gathered: one group of nodes for each row."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from controller.planning.whole.reading import Counts
from controller.planning.whole.rows import Rows
from rules.kernel.formulation import Gathered


def kept_to(
    rows: Rows, counts: Counts, price: Mapping[str, float], closed: Collection[str]
) -> Mapping[str, frozenset[str]]:
    """By option of a gathered row, the open nodes of the group that is chosen for it.

    That is where most is answered now; else where most of the row's options may stand, then where they are cheapest,
    then where the fewest rows before it are. An option has no node where its pool has none in the group.
    """
    answered = {key: count * rows.answers.offered.get(key[0], 1) for key, count in counts.items()}
    found: dict[str, frozenset[str]] = {}
    taken: Counter[tuple[str, ...]] = Counter()
    for row in (row for row in rows.hard if isinstance(row, Gathered)):
        nodes_of = {option: found.get(option, _nodes_of(rows, option)).difference(closed) for option in row.options}
        ranked = [(_worth(group, nodes_of, answered, price), -taken[group], -at) for at, group in enumerate(row.groups)]
        best = row.groups[-max(ranked)[-1]]
        taken[best] += 1
        found |= {option: nodes.intersection(best) for option, nodes in nodes_of.items()}
    return found


def _worth(
    group: Sequence[str],
    nodes_of: Mapping[str, frozenset[str]],
    answered: Mapping[tuple[str, str], int],
    price: Mapping[str, float],
) -> tuple[int, int, float]:
    there = [option for option, nodes in nodes_of.items() if not nodes.isdisjoint(group)]
    stands = sum(answered.get((option, node), 0) for option in there for node in group)
    return stands, len(there), -sum(price[option] for option in there) / max(1, len(there))


def _nodes_of(rows: Rows, option: str) -> frozenset[str]:
    return frozenset(node.name for node in rows.problem.nodes_of(rows.problem.option(option).placement.pool))
