"""Instances that no request and no row needs are taken away: the same plan with less of it.

It is how a fleet shrinks that is too large to be planned anew in each turn.
"""

from collections import Counter, defaultdict

from controller.planning.whole.reading import Counts, Reading
from controller.planning.whole.rows import Rows


def trimmed(rows: Rows, at: Reading) -> Reading:
    """The plan without what is over; what some row asks for beside the requests stays."""
    over = _over(rows, at)
    while over:
        counts = {key: count - over.get(key, 0) for key, count in at.counts.items()}
        less = Reading.made(counts, at.shares, at.unserved, at.levels)
        broken = {id(row) for row in rows.broken(less)}
        if not broken:
            return less
        kept = {key: count for key, count in over.items() if not _touches(rows, key[0], broken)}
        if len(kept) == len(over):
            break
        over = kept
    return at


def _over(rows: Rows, at: Reading) -> Counts:
    """By option and node, instances beyond those that answer what routes bring: those on the emptiest nodes first."""
    load: defaultdict[str, float] = defaultdict(float)
    for (option, node), count in at.counts.items():
        load[node] += count * rows.parts.get(option, 0.0)
    load_of = brought(rows, at)
    found: Counter[tuple[str, str]] = Counter()
    for option, nodes in sorted(at.nodes_of.items()):
        offered = rows.answers.offered.get(option, 0)
        spare = at.by_option[option] - (-(-load_of[option] // offered) if offered else at.by_option[option])
        for node in sorted(nodes, key=lambda name: (load[name], name)):
            going = min(spare, at.counts[option, node])
            if going > 0:
                found[option, node] += going
                spare -= going
    return found


def brought(rows: Rows, at: Reading) -> Counter[str]:
    """By option, what the routes bring it, in millionths of a call a second."""
    found: Counter[str] = Counter()
    for path, share in at.shares.items():
        for option in dict.fromkeys(rows.problem.path(path).options):
            found[option] += share * rows.answers.brought.get(option, {}).get(path, 0)
    return found


def _touches(rows: Rows, option: str, broken: set[int]) -> bool:
    return any(id(rows.hard[place]) in broken for place in rows.touching.get(option, ()))
