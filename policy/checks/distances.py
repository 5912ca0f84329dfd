"""How far the sites that serve are from where requests come from, by the round-trip times of the Links."""

from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from typing import Final

from policy.resolved import Link, Policy, Service

Bounds = frozenset[tuple[str, ...]]
"""For each clause on residency, the jurisdictions that it allows."""

ABOVE_MEAN_BP: Final = 9_000
"""From this percentile on a scattered round trip is no shorter than its mean, as long as its deviation is not several
times the mean: a gamma distribution's 90th percentile is above its mean for every shape from 0.1 on."""


class Distances:
    """The ways from each origin to the sites that have pools; within a site there is no way to go."""

    def __init__(self, policy: Policy) -> None:
        serving = {pool.site for pool in policy.pools}
        self._lies_in = {site.name: frozenset(site.jurisdictions) for site in policy.sites}
        self._here = serving
        self._ways: defaultdict[str, list[tuple[str, Link]]] = defaultdict(list)
        for link in policy.links:
            for origin, site in ((link.a, link.b), (link.b, link.a)):
                if site in serving and origin != site:
                    self._ways[origin].append((site, link))
        self._longest = {origin: max(link.rtt_us for _, link in ways) for origin, ways in self._ways.items()}
        self._known: dict[tuple[str, Bounds, bool], int | None] = {}

    def longest_us(self, origin: str) -> int:
        """The round trip to the farthest site that serves; 0 when there is none."""
        return self._longest.get(origin, 0)

    def shortest_us(self, origin: str, bounds: Bounds, percentile_bp: int) -> int | None:
        """What a round trip to the nearest site that the bounds allow takes at least, None when they allow none.

        Below ABOVE_MEAN_BP nothing is promised of a link that scatters, so its round trip counts as 0.
        """
        key = (origin, bounds, percentile_bp >= ABOVE_MEAN_BP)
        if key not in self._known:
            self._known[key] = self._shortest_us(*key)
        return self._known[key]

    def _shortest_us(self, origin: str, bounds: Bounds, above_mean: bool) -> int | None:  # noqa: FBT001 - of a key
        if origin in self._here and self._lies_within(origin, bounds):
            return 0
        return min(
            (
                link.rtt_us if above_mean or link.jitter_us == 0 else 0
                for site, link in self._ways.get(origin, ())
                if self._lies_within(site, bounds) and all(set(link.transit) <= set(within) for within in bounds)
            ),
            default=None,
        )

    def _lies_within(self, site: str, bounds: Bounds) -> bool:
        return all(not self._lies_in.get(site, frozenset()).isdisjoint(within) for within in bounds)


def in_a_row(service: Service) -> int:
    """How many stages wait for one another at most: each goes from the origin to a site and back; 0 for a circle."""
    depth: dict[str, int] = {}
    after = {stage.name: stage.after for stage in service.stages}
    try:
        order = list(TopologicalSorter(after).static_order())
    except CycleError:
        return 0
    for name in order:
        if name in after:
            depth[name] = 1 + max((depth.get(before, 0) for before in after[name]), default=0)
    return max(depth.values())
