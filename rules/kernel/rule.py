"""The rule protocol: a promise that a solver keeps and that can be measured without one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from policy.findings import Finding, Level, Place
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that a plan breaks: on what, by how much, and the clause that asked for it.

    `quantity` says what was measured, for rules that measure more than one thing.
    """

    rule: str
    subject: str
    measured: int
    limit: int
    place: Place | None
    quantity: str = ""

    def finding(self, finding_id: str, message: str, hint: str) -> Finding:
        """The violation in words, with its subject and place."""
        return Finding(finding_id, Level.ERROR, message, hint, self.place, self.subject)


class Rule(Protocol):
    """One constraint family.

    `constrain` and `check` state the same promise twice and share no code but the limit. `always` tells whether it also
    holds at each moment between two plans (compliance, memory) or only when the fleet has settled (budget, bounds).
    """

    id: str
    finding_id: str
    always: bool

    def applies(self, problem: Problem) -> bool:
        """Whether the policy asks anything of this rule."""

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Write the promise as rows."""

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Measure the promise on a plan; nothing when it is kept."""

    def explain(self, violation: Violation) -> Finding:
        """The violation as something to tell a person."""


@runtime_checkable
class Excluding(Rule, Protocol):
    """A rule that bars options, uses or paths. Its exclusions can be asked for without any other row.

    With `of_paths` all of them are of paths, and otherwise none is.
    """

    of_paths: bool

    def exclusions(self, problem: Problem) -> Iterable[Exclusion]:
        """What the rule bars, in the order in which `constrain` writes it."""
