"""Ruin and recreate with annealing (Schrimpf et al. 2000) on nodes with devices.

A step takes instances off a few nodes, ranks what waits, and places it again on these nodes alone: elsewhere nothing
has changed, and what waits had no room there. Where nodes have a price, one that then holds less than it costs is
emptied. The step is kept when the plan got no worse, or by Metropolis' rule at the temperature of the moment; otherwise
the rows of these nodes are put back. So a step costs what a few nodes cost, however many there are.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from controller.compiled import compiled
from controller.planning.fleet.device_guide import MOST_GAIN, Guide
from controller.planning.fleet.device_refill import Words, draw, refill
from controller.planning.fleet.device_ruin import pick, remark, room, ruin
from controller.planning.fleet.device_state import DeviceState, take
from controller.planning.fleet.devices import Floats, Ints

MOST_RUINED: Final = 6
"""Nodes in a step."""
RANK_NOISE: Final = 0.3
"""The most that chance counts in the order of classes."""
BLINK: Final = 0.1
"""The largest part of the nodes that is passed over."""
FIT_POWER: Final = 6.0
"""How much a close fit counts is a number from [0, 1) to this power: mostly little, sometimes as much as the price."""
GAIN: Final = 4.0
"""The most that the worth of classes counts in a ranking, against their size and noise."""


class _Saved(NamedTuple):
    """The rows of some nodes."""

    free: Ints
    held: Ints
    held_class: Ints
    held_devices: Ints


@compiled
def ruin_and_recreate(
    state: DeviceState,
    guide: Guide,
    there: Ints,
    need: Ints,
    weight: Floats,
    price: Floats,
    steps: int,
    heat: float,
    of_room: float,
    random: Words,
) -> int:
    """Take so many steps at one temperature; how many were kept. `weight` is by class, `price` by kind."""
    size, most = min(MOST_RUINED, state.held.size), state.held_class.shape[1]
    nodes, marks = np.zeros(size, np.int64), np.zeros((state.held.size, 2))
    remark(state, guide, there, np.arange(state.held.size), marks)
    saved = _Saved(
        np.zeros((size, state.free.shape[1]), np.int64),
        np.zeros(size, np.int64),
        np.zeros((size, most), np.int64),
        np.zeros((size, most), np.int64),
    )
    order, keys = np.zeros(weight.size, np.int64), np.zeros(weight.size)
    kept = 0
    for _ in range(steps):
        ruined = nodes[: pick(marks, nodes, random)]
        _save(state, ruined, saved)
        before = _worth(state, there, ruined, weight, price, of_room)
        ruin(state, need, ruined, random)
        ranked = order[: _rank(state, guide, weight, ruined, order, keys, random)]
        refill(state, guide, need, ranked, ruined, draw(random) ** FIT_POWER, BLINK * draw(random), random)
        close(state, need, ruined, weight, price)
        better = _worth(state, there, ruined, weight, price, of_room) - before
        if better >= 0 or better > heat * math.log(max(draw(random), 1e-300)):
            kept += 1
            remark(state, guide, there, ruined, marks)
        else:
            _put_back(state, ruined, saved)
    return kept


@compiled
def _worth(state: DeviceState, there: Ints, nodes: Ints, weight: Floats, price: Floats, of_room: float) -> float:
    """What stands on some nodes is worth, less their prices, and their room: a whole free device is worth `of_room`."""
    total = 0.0
    for node in nodes:
        total += of_room * room(state, there, node)
        if state.held[node] > 0:
            total += _holds(state, node, weight) - price[state.node_kind[node]]
    return total


@compiled
def _holds(state: DeviceState, node: int, weight: Floats) -> float:
    total = 0.0
    for at in range(state.held[node]):
        total += weight[state.held_class[node, at]]
    return total


@compiled
def _rank(
    state: DeviceState, guide: Guide, weight: Floats, nodes: Ints, order: Ints, keys: Floats, random: Words
) -> int:
    """Write the classes that wait to `order`, those first that are large or worth their room here, and count them."""
    by_size, by_gain, noise = draw(random), GAIN * draw(random), RANK_NOISE * draw(random)
    count = 0
    for one in range(weight.size):
        slack = _least_slack(state, guide, nodes, one) if state.waiting[one] > 0 else np.inf
        if slack < np.inf:
            gain = min(MOST_GAIN, max(1 / MOST_GAIN, weight[one] / (guide.takes[one] + slack)))
            key = by_size * guide.size[one] + by_gain * math.log(gain) + noise * draw(random)
            at = count
            while at > 0 and keys[at - 1] < key:
                keys[at] = keys[at - 1]
                order[at] = order[at - 1]
                at -= 1
            keys[at] = key
            order[at] = one
            count += 1
    return count


@compiled
def _least_slack(state: DeviceState, guide: Guide, nodes: Ints, one: int) -> float:
    """What a class costs on the best of some nodes beyond the kind that suits it best."""
    least = np.inf
    for node in nodes:
        least = min(least, guide.slack[one, state.node_kind[node]])
    return least


@compiled
def close(state: DeviceState, need: Ints, nodes: Ints, weight: Floats, price: Floats) -> None:
    """Empty the nodes that cost more than what they hold is worth."""
    for node in nodes:
        if state.held[node] > 0 and _holds(state, node, weight) < price[state.node_kind[node]]:
            for at in range(state.held[node] - 1, -1, -1):
                take(state, need, node, at)


@compiled
def _save(state: DeviceState, nodes: Ints, saved: _Saved) -> None:
    for i in range(nodes.size):
        node = nodes[i]
        saved.held[i] = state.held[node]
        saved.free[i, :] = state.free[node, :]
        for at in range(state.held[node]):
            saved.held_class[i, at] = state.held_class[node, at]
            saved.held_devices[i, at] = state.held_devices[node, at]


@compiled
def _put_back(state: DeviceState, nodes: Ints, saved: _Saved) -> None:
    for i in range(nodes.size):
        node = nodes[i]
        for at in range(state.held[node]):
            state.waiting[state.held_class[node, at]] += 1
        state.held[node] = saved.held[i]
        state.free[node, :] = saved.free[i, :]
        for at in range(saved.held[i]):
            state.held_class[node, at] = saved.held_class[i, at]
            state.held_devices[node, at] = saved.held_devices[i, at]
            state.waiting[saved.held_class[i, at]] -= 1
