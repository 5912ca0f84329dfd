"""Telling what a variant takes alone from what its neighbours add: both are learnt from the same windows.

How much a neighbour adds shows in windows in which it was more and less busy. What is left when that is taken away is
what the variant's service times are learnt from.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from collectors.snapshot import BatchTime
from controller.decision import Interference, LearntTimes
from controller.performance.interference import Company, Effects, Key
from controller.performance.learn import curve
from controller.performance.neighbours import by_pool
from controller.performance.service_time import batch_us
from controller.performance.windows import Window
from policy.resolved import Policy, VariantProfile
from rules.kernel.problem import Node, Placement, Running

Accompanied = tuple[Window, Company]
"""A window with what was busy beside it."""


def effects_of(policy: Policy, known: Iterable[Interference]) -> Effects:
    """What is known of neighbours, and what the policy's profiles let expect of those that were never seen."""
    return Effects(
        {(item.model, item.variant, item.device): item for item in known},
        {(p.model, p.variant, d.device): p.share_permille / 1000 for d in policy.devices for p in d.variants},
    )


def accompanied(
    windows: Sequence[Window], running: Sequence[Running], nodes: Sequence[Node]
) -> tuple[Accompanied, ...]:
    """Each window with its company; with none where it is not known how long the window was.

    On the server of one node, that is what is busy on that node.
    """
    busy: defaultdict[tuple[str, str], dict[Placement, float]] = defaultdict(dict)
    for window in windows:
        busy[window.placement.pool, window.node][window.placement] = window.busy
    pools = by_pool(running, nodes)

    def company(window: Window) -> Company:
        here, pool = pools[window.placement.pool], window.placement.pool
        near = here.on(window.node) if window.node else here
        return near.company(window.placement, near.often(busy[pool, window.node]))

    return tuple((window, company(window) if window.window_s else {}) for window in windows)


def learn_effects(
    policy: Policy, seen: Iterable[Accompanied], times: Iterable[LearntTimes], effects: Effects
) -> Effects:
    """What is known of neighbours after these windows; `times` give the sizes' relations to each other."""
    profiles = {(p.model, p.variant, d.device): p for d in policy.devices for p in d.variants}
    learnt = {(item.model, item.variant, item.device): item for item in times}
    for window, beside in seen:
        key = window.key
        if key not in profiles or not window.window_s or not (beside or key in effects.known):
            continue
        expected_us = _expected_us(profiles[key], learnt.get(key, LearntTimes(*key)), window.times)
        executions = sum(item.executions for item in window.times)
        ratio = sum(item.total_us for item in window.times) / expected_us
        effects = replace(effects, known={**effects.known, key: effects.observed(key, beside, ratio, executions)})
    return effects


def _expected_us(profile: VariantProfile, learnt: LearntTimes, counted: Iterable[BatchTime]) -> float:
    """What these executions take by a curve with the level of the profile and the shape that was learnt.

    The level stays where it is, or each change of it would look like a change of the neighbours.
    """
    curve_us = curve(profile, learnt.counted)
    largest = len(curve_us)
    level = sum(batch_us(profile, batch) for batch in range(1, largest + 1)) / sum(curve_us)
    return level * sum(item.executions * curve_us[min(item.batch, largest) - 1] for item in counted)


def alone(seen: Iterable[Accompanied], effects: Effects) -> dict[Key, list[BatchTime]]:
    """The executions of every variant on every device, with the times that they would have taken alone."""
    found: dict[Key, list[BatchTime]] = {}
    for window, beside in seen:
        slowdown = effects.slowdown(window.key, beside)
        found.setdefault(window.key, []).extend(
            replace(item, total_us=round(item.total_us / slowdown)) for item in window.times
        )
    return found
