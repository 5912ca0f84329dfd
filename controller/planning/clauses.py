"""What somebody asked for, clause by clause, as opposed to what a plan is."""

from dataclasses import dataclass

from policy.findings import Place
from rules.kernel.formulation import Budget, Count, Distinct, Exclusion, Flow, Formulation, Resource, Row


@dataclass(frozen=True, slots=True, order=True)
class Clause:
    """A rule's rows for one place in the policy."""

    place: Place
    rule: str


def clause_of(row: Row) -> Clause | None:
    """The clause that a row belongs to; None when nobody could loosen it.

    Rows that tie shares to instances or to what is unserved, settings that exclude each other and the ladders say what
    a plan is; so does a row without a place in the policy.
    """
    if isinstance(row, Exclusion | Resource | Count | Distinct | Budget):
        return Clause(row.place, row.rule) if row.place else None
    if isinstance(row, Flow) and not row.instances and not row.unserved:
        return Clause(row.place, row.rule) if row.place else None
    return None


def clauses_of(form: Formulation) -> frozenset[Clause]:
    """All clauses of a form."""
    return frozenset(clause for row in form.rows if (clause := clause_of(row)))
