"""What a round of the search has too much of: nodes for a budget, instances for a count. The next one does without."""

from collections import Counter

from controller.planning.whole.reading import Counts
from controller.planning.whole.rows import Rows
from rules.kernel.formulation import Budget, Count


def overspent(rows: Rows, counts: Counts, reserved: Counts) -> frozenset[str]:
    """The nodes to close so that no budget is overspent: those that stand empty, then those that answer least.

    What has to stay would keep its node powered, so such nodes come last.
    """
    load: Counter[str] = Counter()
    kept = {node for _, node in reserved}
    for (option, node), count in counts.items():
        load[node] += count * rows.answers.offered.get(option, 1)
    closed: set[str] = set()
    for row in rows.hard:
        if isinstance(row, Budget):
            prices = {node: price for node, price in row.prices_millicents if price}
            spent = sum(price for node, price in prices.items() if load[node] and node not in closed)
            if spent > row.ceiling_millicents:
                closed.update(node for node in prices if not load[node])
                powered = [node for node in prices if load[node] and node not in closed]
                for node in sorted(powered, key=lambda n: (n in kept, load[n] / prices[n], n)):
                    if spent <= row.ceiling_millicents:
                        break
                    closed.add(node)
                    spent -= prices[node]
    return frozenset(closed)


def outnumbered(rows: Rows, counts: Counts) -> frozenset[str]:
    """The options to close so that no count is passed: those that answer less than its instances must on the mean.

    As many instances as are allowed of what is left answer all that was answered.
    """
    by_option: Counter[str] = Counter()
    for (option, _), count in counts.items():
        by_option[option] += count
    offered, closed = rows.answers.offered, set[str]()
    for row in rows.hard:
        if isinstance(row, Count) and row.highest and sum(by_option[option] for option in row.options) > row.highest:
            answered = sum(by_option[option] * offered.get(option, 0) for option in row.options)
            most = max(offered.get(option, 0) for option in row.options)
            needed = min(most, answered / row.highest)
            closed.update(option for option in row.options if offered.get(option, 0) < needed)
    return frozenset(closed)
