"""What somebody asked for, clause by clause, as opposed to what a plan is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from policy.findings import Place
from rules.kernel.formulation import Budget, Count, Distinct, Exclusion, Flow, Gathered, Resource, Row


@dataclass(frozen=True, slots=True, order=True)
class Clause:
    """A rule's rows for one place in the policy."""

    place: Place
    rule: str


def clause_of(row: Row) -> Clause | None:
    """The clause that a row belongs to; None when nobody could loosen it.

    Rows that tie shares to instances or to what is unserved, unless a service promises them, settings that exclude each
    other and the ladders say what a plan is; so does a row without a place in the policy. What follows from a clause of
    another rule holds as long as that does.
    """
    if isinstance(row, Exclusion):
        return Clause(row.place, row.behind or row.rule) if row.place else None
    if isinstance(row, Resource | Count | Distinct | Gathered | Budget):
        return Clause(row.place, row.rule) if row.place else None
    if isinstance(row, Flow) and (row.services or not (row.instances or row.unserved)):
        return Clause(row.place, row.rule) if row.place else None
    return None


def clauses_of(rows: Iterable[Row]) -> list[Clause | None]:
    """The clause of each row, for many rows of few clauses: equal ones are one object."""
    made: dict[tuple[int, str], Clause | None] = {}
    one: dict[Clause | None, Clause | None] = {}
    found = []
    for row in rows:
        if isinstance(row, Exclusion):
            key = (id(row.place), row.behind or row.rule)
            if key not in made:
                clause = clause_of(row)
                made[key] = one.setdefault(clause, clause)
            found.append(made[key])
        else:
            clause = clause_of(row)
            found.append(one.setdefault(clause, clause))
    return found


Change = Callable[[Row], Row | None]
"""Gives each of a clause's rows as it is to hold, None when it is not to."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Which clauses hold, all when `kept` is None; and how those of `changes` do."""

    kept: frozenset[Clause] | None = None
    changes: Mapping[Clause, Change] = field(default_factory=dict)

    def holds(self, clause: Clause | None) -> bool:
        """Whether a clause holds, in whatever way; what is of no clause does."""
        return clause is None or self.kept is None or clause in self.kept or clause in self.changes

    def __call__(self, row: Row, clause: Clause | None) -> Row | None:
        """A clause's row as it is to hold; None when it is not to."""
        if clause is not None and clause in self.changes:
            return self.changes[clause](row)
        return row if self.holds(clause) else None


EVERYTHING = Edit()
"""All clauses hold as they are."""


def only(kept: frozenset[Clause]) -> Edit:
    """Keeps some clauses."""
    return Edit(kept)


def changing(clause: Clause, base: Edit, change: Change) -> Edit:
    """Loosens the rows of one clause; the others hold as before."""
    return Edit(base.kept, {**base.changes, clause: change})


def all_of(edits: Iterable[Edit]) -> Edit:
    """Everything holds, but for what these change."""
    return Edit(None, {clause: change for edit in edits for clause, change in edit.changes.items()})
