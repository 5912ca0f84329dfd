"""How long a wave will take: the longest of its nodes, each loading one instance after the other."""

import math
from collections import Counter
from typing import Final

from controller.planning.transitions.between import Between
from controller.planning.transitions.ground import Ground
from policy.resolved import ScalingPolicy
from policy.waking import NOTICE_US
from rules.kernel.problem import Placement, Problem

BITS_OF_MIB: Final = 8 * 1024 * 1024
LOOK_S: Final = 5
"""While a wave is under way it is looked again after each interval of turns, and after no longer than this."""
AHEAD: Final = 2
"""A way that takes longer than predicted is looked at again by the end of one such time, and has left by the next."""


def looked_every_s(scaling: ScalingPolicy) -> int:
    """From one look at a way that is under way to the next."""
    return min(LOOK_S, scaling.interval_s)


def ahead_s(scaling: ScalingPolicy) -> int:
    """How long what requests go over has to last once a way takes longer than predicted.

    No longer than plans rely on: else what was just planned would be given up, turn after turn.
    """
    return min(AHEAD * looked_every_s(scaling), scaling.evidence_lead_s)


def over_s(problem: Problem, way_us: int) -> int:
    """When a way is over that is predicted to take so long (Unix time), or is counted to be at the earliest."""
    return problem.now_s + max(problem.passing_s, math.ceil(way_us / 1_000_000))


def wave_us(before: Between, after: Between, ground: Ground) -> int:
    """The predicted time from one moment to the next, in us.

    Nodes load side by side, a node one instance after the other, each for the profile's load time. Before the first
    instance of a variant at a site its file has to get there: see `_fetch_us`. Setting a placement anew loads all its
    instances again. Routes and unloads take no more than being noticed.
    """
    busy_us: Counter[str] = Counter()
    sites = _sites(before, ground)
    fetching: set[tuple[Placement, str]] = set()
    for (placement, node), count in sorted(after.counts.items()):
        anew = before.settings.get(placement, after.settings[placement]) != after.settings[placement]
        more = count if anew else count - before.counts.get((placement, node), 0)
        if more > 0:
            busy_us[node] += more * ground.sizes[placement].load_us
            if (placement, node) not in fetching:
                busy_us[node] += _fetch_us(placement, sites, ground)
                fetching.add((placement, node))
    return NOTICE_US + max(busy_us.values(), default=0)


def _sites(moment: Between, ground: Ground) -> dict[tuple[str, str], set[str]]:
    """The sites at which each model's variant stands, and so has its file."""
    found: dict[tuple[str, str], set[str]] = {}
    for placement in moment.totals():
        found.setdefault((placement.model, placement.variant), set()).add(ground.site(placement.pool))
    return found


def _fetch_us(placement: Placement, sites: dict[tuple[str, str], set[str]], ground: Ground) -> int:
    """How long a variant's file is on its way to a site that has none, over the fastest link from one that has.

    The file is taken for as large as one instance's memory, which bounds it: no document tells its size. Where no site
    has it, or no Link is known, it is taken to lie in the server's repository already.
    """
    here = ground.site(placement.pool)
    having = sites.get((placement.model, placement.variant), set())
    links = [link for site in having if (link := ground.problem.link(site, here))]
    if here in having or not links:
        return 0
    fastest_kbps = max(link.bandwidth_kbps for link in links)
    return ground.sizes[placement].memory_mib * BITS_OF_MIB * 1000 // max(1, fastest_kbps)
