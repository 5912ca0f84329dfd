"""Instances above what a row allows: among which to look for what may go, and which go where nothing was found.

Where hundreds of instances are open, CP-SAT finds no plan within its limit, though one with a little less is at hand.
"""

from collections import Counter

from controller.planning.whole.reading import Reading, keeps
from controller.planning.whole.rows import Rows
from controller.planning.whole.trim import brought
from rules.kernel.formulation import Count


def fewest(at: Reading, row: Count, most: int) -> tuple[str, ...]:
    """The options of a row, of those that stand only so many where that are too many: those with the fewest instances.

    What is mended is mended by a few of them, or by others.
    """
    standing = sorted((at.by_option[option], option) for option in row.options if option in at.by_option)
    if row.highest is None or sum(count for count, _ in standing) <= row.highest:
        return row.options
    return (*(option for _, option in standing[:most]), *(o for o in row.options if o not in at.by_option))


def let_go(rows: Rows, at: Reading, row: Count) -> Reading:
    """The plan with a count kept, those that answer the least let go first; itself where that breaks another row."""
    if row.highest is None or row.highest < 0:
        return at
    counts, load = dict(at.counts), brought(rows, at)
    over = sum(at.by_option.get(option, 0) for option in row.options) - row.highest
    going = Counter[str]()
    for option, node in sorted((key for key in counts if key[0] in row.options), key=lambda key: (load[key[0]], key)):
        fewer = max(0, min(over, counts[option, node]))
        counts[option, node] -= fewer
        going[option] += fewer
        over -= fewer
    found = _refused(rows, Reading.made(counts, at.shares, at.unserved, at.levels), going)
    broken = {id(each) for each in rows.broken(at)}
    return found if keeps(row, found, rows.tops) and all(id(each) in broken for each in rows.broken(found)) else at


def _refused(rows: Rows, at: Reading, going: Counter[str]) -> Reading:
    """With no more brought to some options than they answer; their services are at best effort."""
    shares, unserved, levels = dict(at.shares), dict(at.unserved), dict(at.levels)
    load = brought(rows, at)
    for option in sorted(+going):
        answers = rows.answers.offered.get(option, 0) * at.by_option.get(option, 0)
        for path in sorted(path for path in at.shares if rows.answers.brought.get(option, {}).get(path)):
            if load[option] <= answers:
                break
            demand = rows.problem.demand(rows.problem.path(path).demand)
            share = min(shares.get(path, 0), -(-(load[option] - answers) // rows.answers.brought[option][path]))
            shares[path] = shares.get(path, 0) - share
            unserved[demand.id] = unserved.get(demand.id, 0) + share
            levels[demand.service] = rows.tops.get(demand.service, 0)
            for each in dict.fromkeys(rows.problem.path(path).options):
                load[each] -= share * rows.answers.brought.get(each, {}).get(path, 0)
    return Reading.made(at.counts, shares, unserved, levels)
