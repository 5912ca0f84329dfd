"""A clause that is named in a sentence."""

from typing import Final

from controller.clause_words import said
from policy.clause_list import clauses_of
from policy.findings import Place
from policy.resolved import Policy
from rules.kernel.latest import Latest

_clauses: Final = Latest(clauses_of)


def clause_text(rule: str, place: Place | None, policy: Policy) -> str:
    """What the clause at a place says, with the place; of what is no clause of a document the rule, in words."""
    said_there = next((said(each) for each in _clauses(policy) if each.place == place), rule.replace("_", " "))
    return f"{said_there} ({place})" if place else said_there
