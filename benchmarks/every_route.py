"""The cheapest way to route demands over given instances, in whole permille, by trying every split.

A group is one demand with any set of paths, or two demands whose paths are all combinations of the options that each
may take at its stages. A path has one stage or two, of different models.
"""

import itertools
import math
from typing import Final, NamedTuple

import numpy as np

from controller.compiled import compiled
from rules.kernel.problem import WHOLE_PERMILLE

Ints = np.ndarray
PAIR: Final = 2


class Flow(NamedTuple):
    """Demands that can share instances, in permille of each.

    `paths` are the options of each path, by demand; `calls` what the whole demand asks of each stage in thousandths of
    a call a second; `price` what each refused permille costs.
    """

    paths: tuple[tuple[tuple[int, ...], ...], ...]
    calls: tuple[tuple[int, ...], ...]
    models: tuple[tuple[str, ...], ...]
    most_refused: tuple[int, ...]
    price: tuple[int, ...]


def relaxed(flow: Flow, answers: Ints) -> Ints:
    """[R]: what refusing costs at least with answers [R, options], in parts of permille; infinite where too much."""
    served = [_alone(flow, demand, answers) for demand in range(len(flow.paths))]
    cost = sum(price * (WHOLE_PERMILLE - most) for price, most in zip(flow.price, served, strict=True))
    for demand, most in enumerate(served):
        cost = np.where(most < WHOLE_PERMILLE - flow.most_refused[demand], math.inf, cost)
    for model in _shared(flow):
        stages = [models.index(model) for models in flow.models]
        calls = [flow.calls[demand][stage] for demand, stage in enumerate(stages)]
        usable = sorted({path[stages[demand]] for demand, paths in enumerate(flow.paths) for path in paths})
        room = answers[:, usable].sum(axis=1)
        least = [WHOLE_PERMILLE - refused for refused in flow.most_refused]
        cost = np.where(room < calls[0] * least[0] + calls[1] * least[1], math.inf, cost)
        dearer = 0 if flow.price[0] * calls[1] >= flow.price[1] * calls[0] else 1
        first = np.minimum(served[dearer], room // calls[dearer])
        left = np.maximum(0, room - calls[dearer] * first)
        second = np.minimum(served[1 - dearer], left / calls[1 - dearer])
        refused = flow.price[dearer] * (WHOLE_PERMILLE - first - 1) + flow.price[1 - dearer] * (WHOLE_PERMILLE - second)
        cost = np.maximum(cost, refused)
    return cost


def _alone(flow: Flow, demand: int, answers: Ints) -> Ints:
    """[R]: permille of a demand that could be served at most if there were no other."""
    most = np.full(len(answers), WHOLE_PERMILLE)
    for stage, calls in enumerate(flow.calls[demand]):
        usable = sorted({path[stage] for path in flow.paths[demand]})
        most = np.minimum(most, (answers[:, usable] // calls).sum(axis=1))
    return most


def _shared(flow: Flow) -> list[str]:
    """Models that both demands use."""
    return [model for model in flow.models[0] if model in flow.models[1]] if len(flow.models) == PAIR else []


def exactly(flow: Flow, answers: Ints) -> float:
    """The least that refusing costs with answers [options]; infinite when more has to be refused than may be."""
    if len(flow.paths) == 1:
        refused = WHOLE_PERMILLE - _cut(flow.paths[0], flow.calls[0], answers)
        return flow.price[0] * refused if refused <= flow.most_refused[0] else math.inf
    alone = [int(_alone(flow, demand, answers[np.newaxis])[0]) for demand in range(PAIR)]
    second = np.where(np.arange(WHOLE_PERMILLE + 1) <= alone[0], alone[1], -1)
    for model in _shared(flow):
        stages = [models.index(model) for models in flow.models]
        reached = [{path[stages[demand]] for path in flow.paths[demand]} for demand in range(PAIR)]
        calls = [flow.calls[demand][stages[demand]] for demand in range(PAIR)]
        used = [option for option in sorted(reached[0] | reached[1]) if answers[option]]
        reach = np.array([[option in each for option in used] for each in reached], bool).reshape(PAIR, -1)
        second = np.minimum(second, _beside(answers[used], calls[0], calls[1], reach[0], reach[1]))
    first = WHOLE_PERMILLE - np.arange(WHOLE_PERMILLE + 1)
    other = WHOLE_PERMILLE - second
    allowed = (second >= 0) & (first <= flow.most_refused[0]) & (other <= flow.most_refused[1])
    cost = flow.price[0] * first + flow.price[1] * other
    return float(cost[allowed].min()) if allowed.any() else math.inf


def sparing(flow: Flow, answers: Ints, capacity: tuple[int, ...], idle: int) -> float:
    """The least that refusing costs where the load takes no more than `idle` instances; of one demand of one stage.

    An option of that capacity takes a whole number of millionths of an instance for each permille, so that the
    permille that take least come first.
    """
    (paths,), ((calls,),) = flow.paths, flow.calls
    room, served = idle * 1_000_000, 0
    parts = sorted((-(-calls * 1_000_000 // (capacity[option] * WHOLE_PERMILLE)), option) for (option,) in paths)
    for part, option in parts:
        takes = min(int(answers[option]) // calls, WHOLE_PERMILLE - served, room // part)
        served, room = served + takes, room - takes * part
    refused = WHOLE_PERMILLE - served
    return flow.price[0] * refused if refused <= flow.most_refused[0] else math.inf


def _cut(paths: tuple[tuple[int, ...], ...], calls: tuple[int, ...], answers: Ints) -> int:
    """The permille that one demand's paths carry together.

    As much as the least of the sets of options that lie on every path can take (Ford and Fulkerson 1956): permille are
    whole, and what each option takes of them is whole.
    """
    stages = [sorted({path[stage] for path in paths}) for stage in range(len(calls))]
    takes = {option: int(answers[option]) // calls[at] for at, options in enumerate(stages) for option in options}
    options = sorted(takes)
    least = WHOLE_PERMILLE
    for many in range(len(options) + 1):
        for chosen in itertools.combinations(options, many):
            if all(set(path) & set(chosen) for path in paths):
                least = min(least, sum(takes[option] for option in chosen))
    return least


@compiled
def _beside(answers: Ints, one: int, other: int, by_one: Ints, by_other: Ints) -> Ints:
    """[1001]: for each permille of the first demand the most permille of the second, -1 where the first cannot be.

    Option by option, every split of the first demand is tried.
    """
    best = np.full(WHOLE_PERMILLE + 1, -1, np.int64)
    best[0] = 0
    for option in range(answers.size):
        most = answers[option] // one if by_one[option] else 0
        after = np.full(WHOLE_PERMILLE + 1, -1, np.int64)
        for before in range(WHOLE_PERMILLE + 1):
            if best[before] < 0:
                continue
            for here in range(min(most, WHOLE_PERMILLE - before) + 1):
                beside = (answers[option] - one * here) // other if by_other[option] else 0
                after[before + here] = max(after[before + here], min(WHOLE_PERMILLE, best[before] + beside))
        best = after
    return best
