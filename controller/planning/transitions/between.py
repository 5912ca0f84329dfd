"""What stands and what goes where between two plans, by placements rather than by options.

An option has a setting and the load that its latency is promised for; on the way from plan to plan both change while
the instances stay. So a moment is told by placements, and written as a plan only to be verified.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from rules.kernel.problem import Placement

Spot = tuple[Placement, str]
"""A placement on a node."""
Setting = tuple[int, int]
"""The largest batch, and the queue delay in us."""
Taken = tuple[Placement, ...]
"""The placement that serves each stage; () stands for being refused."""
Shares = Mapping[Taken, int]
"""A demand's shares in permille by the way that they take; they sum to 1000."""


@dataclass(frozen=True)
class Still:
    """Instances on nodes on which nothing changes: they are counted once for a whole way."""

    counts: Mapping[Spot, int] = field(default_factory=dict)

    @cached_property
    def totals(self) -> Counter[Placement]:
        """Instances by placement."""
        found: Counter[Placement] = Counter()
        for (placement, _), count in self.counts.items():
            found[placement] += count
        return found

    @cached_property
    def nodes(self) -> frozenset[str]:
        """The nodes with an instance."""
        return frozenset(node for _, node in self.counts)


@dataclass(frozen=True, slots=True)
class Between:
    """One moment: instances by spot, the setting and load of each placement, each demand's shares, degrade levels.

    What stands is `counts` beside `still`; one spot may be in both.
    """

    counts: Mapping[Spot, int]
    settings: Mapping[Placement, Setting]
    loads_permille: Mapping[Placement, int]
    shares: Mapping[str, Shares]
    levels: Mapping[str, int]
    still: Still = field(default_factory=Still)

    def standing(self) -> Counter[Spot]:
        """All instances by spot."""
        found = Counter(self.still.counts)
        for spot, count in self.counts.items():
            found[spot] += count
        return found

    def powered(self) -> frozenset[str]:
        """The nodes with an instance."""
        return self.still.nodes | {node for _, node in self.counts}

    def totals(self) -> Counter[Placement]:
        """Instances by placement, over all nodes."""
        found = self.still.totals.copy()
        for (placement, _), count in self.counts.items():
            found[placement] += count
        return found


def apart(start: Between, goal: Between) -> tuple[Between, Between]:
    """Both with what stands on nodes that are the same in both as `still`."""
    one, other = start.standing(), goal.standing()
    anew = {p for p, setting in start.settings.items() if goal.settings.get(p, setting) != setting}
    touched = {spot[1] for spot in {*one, *other} if one[spot] != other[spot] or spot[0] in anew}
    still = Still({spot: count for spot, count in one.items() if spot[1] not in touched})

    def moving(moment: Between, standing: Counter[Spot]) -> Between:
        counts = {spot: count for spot, count in standing.items() if spot[1] in touched and count}
        return replace(moment, counts=counts, still=still)

    return moving(start, one), moving(goal, other)
