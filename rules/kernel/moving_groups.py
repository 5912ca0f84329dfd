"""What would have to move from a lost site, in groups that could get in each other's way."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from policy.findings import Place
from rules.kernel.problem import Problem
from rules.kernel.refuge import moving

MOST_GROUPS: Final = 6
"""Of calls that could move to the same options, so many groups are told apart: each set of them is a row."""


@dataclass(frozen=True, slots=True)
class Group:
    """Calls that could move to the same options: what a permille of each path brings, in millionths a second.

    The rows that speak of them are not asked while one of `services` is at best effort.
    """

    services: frozenset[str]
    place: Place
    calls: Mapping[str, int]
    refuge: frozenset[str]


def crowds(problem: Problem) -> Iterator[tuple[str, tuple[Group, ...]]]:
    """Each site that may be lost with every set of groups that has to have room when it is."""
    for site, groups in _groups(problem).items():
        for near in _joined(groups):
            for members in _sets(_fewer(near)):
                yield site, members


def _groups(problem: Problem) -> Mapping[str, list[Group]]:
    """By site, what would have to move, by service and by where it could go."""
    calls: defaultdict[tuple[str, str, Place, frozenset[str]], Counter[str]] = defaultdict(Counter)
    for each in moving(problem):
        stages = problem.service_of(each.demand).stages
        for stage, refuge in zip(stages, each.refuge, strict=True):
            here = calls[each.site, each.demand.service, each.place, refuge]
            for path in each.paths:
                here[path.id] += stage.fanout * each.demand.rate_milli_rps
    found: defaultdict[str, list[Group]] = defaultdict(list)
    for (site, service, place, refuge), brought in sorted(
        calls.items(), key=lambda item: (item[0][:2], sorted(item[0][3]))
    ):
        found[site].append(Group(frozenset({service}), place, brought, refuge))
    return found


def _joined(groups: Iterable[Group]) -> list[list[Group]]:
    """The groups, those together that could get in each other's way."""
    found: list[list[Group]] = []
    for group in groups:
        near = [each for each in found if any(not group.refuge.isdisjoint(other.refuge) for other in each)]
        found = [each for each in found if each not in near]
        found.append([*itertools.chain.from_iterable(near), group])
    return found


def _fewer(groups: list[Group]) -> list[Group]:
    """No more groups than are told apart: those of one service become one first, and those that have most in common.

    Calls of several services that became one group are asked for at any level: at best effort they can be refused.
    """
    while len(groups) > MOST_GROUPS:
        one, other = max(itertools.combinations(groups, 2), key=_likeness)
        services = one.services if one.services == other.services else frozenset[str]()
        calls = Counter(one.calls)
        calls.update(other.calls)
        joined = Group(services, min(one.place, other.place), calls, one.refuge & other.refuge)
        groups = [*(each for each in groups if each is not one and each is not other), joined]
    return groups


def _likeness(pair: tuple[Group, Group]) -> tuple[bool, bool, int]:
    one, other = pair
    common = len(one.refuge & other.refuge)
    return common > 0, one.services == other.services, common


def _sets(groups: Sequence[Group]) -> Iterator[tuple[Group, ...]]:
    """Sets of groups, but for those to which one could be added without another option or service."""
    for size in range(1, len(groups) + 1):
        for members in itertools.combinations(groups, size):
            refuge = frozenset[str]().union(*(group.refuge for group in members))
            services = frozenset[str]().union(*(group.services for group in members))
            others = (group for group in groups if group not in members)
            if not any(group.refuge <= refuge and group.services <= services for group in others):
                yield members
