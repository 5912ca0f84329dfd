"""The one form that rules write and engines read.

A rule states its promise in these few kinds of row and nothing else; an engine (CP-SAT, a compiled search, an LP) knows
the kinds and no rule. The unknowns behind the rows are

- instances of an option on a node (whole, at least 0),
- whether a node is powered (it is when it holds an instance),
- the share of a demand, in permille, that each path takes, and the share left unserved,
- the level of a service: how many degrade steps it has taken.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from policy.findings import Place


class Exclusion(NamedTuple):
    """What may not be: an option at all, an option for a stage of a demand, or a path. Exactly one is named.

    `behind` is the rule whose clause it follows from, where that is another one.
    """

    rule: str
    reason: str
    place: Place | None
    option: str = ""
    demand: str = ""
    stage: str = ""
    path: str = ""
    behind: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """On each node, the use of its instances stays within the node's capacity; units are the rule's own."""

    rule: str
    place: Place | None
    capacity: tuple[tuple[str, int], ...]
    use: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Count:
    """lowest <= instances over a set of options <= highest; no upper end when `highest` is None."""

    rule: str
    place: Place | None
    options: tuple[str, ...]
    lowest: int
    highest: int | None


@dataclass(frozen=True, slots=True)
class Distinct:
    """At least `least` of the groups hold an instance; a group is a set of (option, node).

    Not asked while a service that it names is at the highest level of its ladder. `unit` says what a group is, such as
    "site".
    """

    rule: str
    place: Place | None
    groups: tuple[tuple[tuple[str, str], ...], ...]
    least: int
    services: tuple[str, ...] = ()
    unit: str = "place"


@dataclass(frozen=True, slots=True)
class Exclusive:
    """At most one of these options holds an instance."""

    rule: str
    place: Place | None
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gathered:
    """At most one of the groups holds an instance of these options; a group is a set of nodes, and none is in two."""

    rule: str
    place: Place | None
    options: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """lowest <= sum of a*share + b*instances + c*unserved <= highest; an end that is None is open.

    Not asked while a service that it names is at the highest level of its ladder.
    """

    rule: str
    place: Place | None
    shares: tuple[tuple[str, int], ...]
    instances: tuple[tuple[str, int], ...] = ()
    unserved: tuple[tuple[str, int], ...] = ()
    lowest: int | None = None
    highest: int | None = None
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """The prices of the powered nodes, and of what paths carry, sum to at most `ceiling_millicents`.

    `carried_millicents`: (path, its price where it carries all of its demand); a permille costs a thousandth of it.
    """

    rule: str
    place: Place | None
    prices_millicents: tuple[tuple[str, int], ...]
    ceiling_millicents: int
    carried_millicents: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Ladder:
    """A service's degrade order.

    `gates`: the level from which a path may carry anything. `unserved_permille[k]`: the most that may go unserved of
    each of the service's demands at level k; its length less one is the highest level.
    """

    rule: str
    place: Place | None
    service: str
    demands: tuple[str, ...]
    gates: tuple[tuple[str, int], ...]
    unserved_permille: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Assurance:
    """A service is at no higher level of its ladder, and of its demands no more goes unserved, each in permille."""

    rule: str
    place: Place | None
    service: str
    level: int
    unserved_permille: tuple[tuple[str, int], ...]

    @property
    def demands(self) -> tuple[str, ...]:
        """Those of the service, in order."""
        return tuple(demand for demand, _ in self.unserved_permille)


@dataclass(frozen=True, slots=True)
class Penalty:
    """Soft prices in one currency (millicents an hour): to be kept small, never a reason to refuse a plan.

    `starts`: (the options of one placement, its running instances, the price of each instance above them).
    `levels`: (service, the price of each level from 1). `unserved`: (demand, price of each permille).
    `carried`: (path, its price where it carries all of its demand); the sum over all shares is rounded up.
    """

    rule: str
    nodes: tuple[tuple[str, int], ...] = ()
    instances: tuple[tuple[str, int], ...] = ()
    starts: tuple[tuple[tuple[str, ...], int, int], ...] = ()
    levels: tuple[tuple[str, tuple[int, ...]], ...] = ()
    unserved: tuple[tuple[str, int], ...] = ()
    carried: tuple[tuple[str, int], ...] = ()


Row = Exclusion | Resource | Count | Distinct | Exclusive | Gathered | Flow | Budget | Ladder | Assurance | Penalty


@dataclass(slots=True)
class Formulation:
    """Rows in the order in which rules wrote them."""

    rows: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Append one row."""
        self.rows.append(row)

    def exclusions(self) -> tuple[Exclusion, ...]:
        """Only the exclusions, in order."""
        return tuple(row for row in self.rows if isinstance(row, Exclusion))
