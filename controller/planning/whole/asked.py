"""What a round of the search asks of each model: stages of demands as demands in the packed sense, in parts of few.

It holds on to a `Frame`: boxes, tokens, and what stands whatever the search does.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from controller.planning.whole.boxes import Box
from controller.planning.whole.reading import Counts
from controller.planning.whole.rows import Rows
from rules.kernel.problem import WHOLE_PERMILLE

MILLICENTS: Final = 100_000
"""Of a dollar."""
LEAST_WORTH: Final = 0.05
"""Of the dearest demand's worth: what is worth less than that next to it is worth as much."""
FEW_DEMANDS: Final = 10
"""Of one part of a model. Each more doubles what the search looks up with every instance that it places."""
SPLIT_PERMILLE: Final = 2
"""Asked in addition: shares are whole permilles, so a demand that is split over options rounds some up."""
LEAST_ALIKE: Final = 0.5


class Frame(NamedTuple):
    """What a round of the search holds on to."""

    boxes: Mapping[str, Box]
    closed_nodes: frozenset[str] = frozenset()
    tokens: tuple[frozenset[str], ...] = ()
    """Sets of options of one model."""
    reserved: Counts = MappingProxyType({})
    """Instances that stand whatever the search does; it has the rest of their nodes, which are paid for."""
    instead: Mapping[str, str] = MappingProxyType({})
    """By closed option, the one that its instances are set to."""
    kept_to: Mapping[str, frozenset[str]] = MappingProxyType({})
    """By option, the only nodes that the search may place it on, where it may not on all of its pool."""


class Asked(NamedTuple):
    """A demand in the packed sense: a stage of one or more demands, or a token when it is of none."""

    options: frozenset[str]
    urps: int
    worth: float
    """Of an urps, in dollars an hour."""
    demands: tuple[str, ...] = ()


def asked_of_models(rows: Rows, frame: Frame) -> list[tuple[Asked, ...]]:
    """What is asked of each model beside what stands, merged where that is the same, in parts of few demands."""
    by_model: defaultdict[str, list[Asked]] = defaultdict(list)
    dearest = max((price for price in rows.prices.unserved.values()), default=1)
    node = max((price for price in rows.prices.nodes.values()), default=0) / MILLICENTS
    links = max(rows.prices.carried.values(), default=0) / MILLICENTS
    base = WHOLE_PERMILLE * (1.0 + 2 * node) + links / LEAST_WORTH
    for demand in rows.problem.demands:
        part = max(LEAST_WORTH, rows.prices.unserved.get(demand.id, 0) / max(dearest, 1))
        for stage, options in enumerate(frame.boxes.get(demand.id, ())):
            urps = asked_urps(rows, demand.id, stage, options)
            if urps:
                model = rows.problem.option(next(iter(options))).placement.model
                by_model[model].append(Asked(options, urps, base * part / urps, (demand.id,)))
    for token in frame.tokens:
        model = rows.problem.option(next(iter(token))).placement.model
        by_model[model].append(Asked(token, 1, base))
    for option, urps in sorted(_reserved_urps(rows, frame).items()):
        model = rows.problem.option(option).placement.model
        by_model[model] = _beside(by_model[model], option, urps)
    return [part for _, asked in sorted(by_model.items()) for part in _parts(asked)]


def _reserved_urps(rows: Rows, frame: Frame) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for (option, _), count in frame.reserved.items():
        found[option] += count * rows.answers.offered.get(option, 0)
    return found


def _beside(asked: Sequence[Asked], option: str, urps: int) -> list[Asked]:
    """What is left to ask when instances of an option stand: they answer first what the fewest others may answer."""
    left = list[Asked]()
    for item in sorted(asked, key=lambda item: (len(item.options), item.demands)):
        answered = min(item.urps, urps) if option in item.options else 0
        urps -= answered
        if answered < item.urps:
            left.append(item._replace(urps=item.urps - answered))
    return left


def asked_urps(rows: Rows, demand: str, stage: int, options: frozenset[str]) -> int:
    """What a stage of a demand asks of whichever option answers it, in urps."""
    found = 0
    for path in rows.usable[demand]:
        option = path.options[stage]
        if option in options:
            brought = rows.answers.brought.get(option, {}).get(path.id, 0) * WHOLE_PERMILLE
            times = path.options.count(option)
            found = max(found, -(-brought // times))
            if times == 1:
                break
    found = found * (WHOLE_PERMILLE - rows.refused.get(demand, 0)) // WHOLE_PERMILLE
    return found + found * SPLIT_PERMILLE // WHOLE_PERMILLE


def _parts(asked: Sequence[Asked]) -> list[tuple[Asked, ...]]:
    merged: dict[tuple[frozenset[str], bool], Asked] = {}
    for item in asked:
        key = item.options, bool(item.demands)
        known = merged.get(key)
        merged[key] = item if known is None else _together(known, item)
    ordered = _few(list(merged.values()))
    parts = [ordered[at : at + FEW_DEMANDS] for at in range(0, len(ordered), FEW_DEMANDS)]
    return [tuple(sorted(part, key=lambda item: (-item.worth, item.demands, sorted(item.options)))) for part in parts]


def _few(asked: list[Asked]) -> list[Asked]:
    """Demands that nearly the same options may answer are made one, which the options that they share may answer."""
    while len(asked) > FEW_DEMANDS:
        pairs = [
            (_alike(one.options, other.options), -at, -beside)
            for at, one in enumerate(asked)
            for beside, other in enumerate(asked[:at])
            if one.demands and other.demands
        ]
        likeness, at, beside = max(pairs, default=(0.0, 0, 0))
        if likeness < LEAST_ALIKE:
            break
        one, other = asked[-beside], asked[-at]
        rest = [item for item in asked if item is not one and item is not other]
        asked = [*rest, _together(one, other)]
    return asked


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared options over all of both (Jaccard)."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


def _together(one: Asked, other: Asked) -> Asked:
    """Two as one; tokens of the same options are one token."""
    if not other.demands:
        return one
    urps = one.urps + other.urps
    worth = (one.urps * one.worth + other.urps * other.worth) / urps
    return Asked(one.options & other.options, urps, worth, (*one.demands, *other.demands))
