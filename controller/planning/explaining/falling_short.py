"""Why a plan falls short: found in its turn, or once the turn has acted, and not again for the same question.

Finding it takes many solves, so acting comes first: it is looked for in the next turn at rest, with the plan that
rests. A large fleet may never come to rest: there it is looked for once it falls short as it did in the turn before.
The loop has such a turn leave it open, and looks for it once the turn has acted.
"""

import hashlib
from dataclasses import dataclass

from controller.decision import State
from controller.planning.build import Built
from controller.planning.explaining.explanation import shortfall_of
from controller.planning.explaining.sacrifice import services_short
from controller.planning.explaining.shortfall_words import degrade_findings, shortfall_findings
from controller.planning.whole.size import is_small
from policy.findings import Finding
from rules.kernel.plan import Plan


@dataclass(frozen=True, slots=True)
class Short:
    """A plan with what it was made of, and what runs."""

    plan: Plan
    built: Built
    running: Plan

    def why(self) -> tuple[Finding, ...]:
        """Who a service that falls short gives way to, and the clauses to blame."""
        return shortfall_findings(shortfall_of(self.plan, self.built, self.running), self.built.whole.policy)


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a plan that falls short; the question with its answer, or the question that is left open."""

    findings: tuple[Finding, ...] = ()
    answered: tuple[str, tuple[Finding, ...]] | None = None
    open: str = ""


def told(short: Short, state: State, *, unchanged: bool) -> Told:
    """What is not served as promised, and why, as far as it is known or to be found now.

    The same question is not answered twice, also where nothing was found. `unchanged`: the plan is what runs.
    """
    degraded = degrade_findings(short.plan, short.built.whole)
    if not degraded:
        return Told()
    key = _key(short.plan, short.built)
    if state.conflict is not None and state.conflict[0] == key:
        return Told((*degraded, *state.conflict[1]), state.conflict)
    if not unchanged and not _stays_short(short.plan, short.built, state):
        return Told(degraded)
    if state.left_open is not None and not is_small(short.built.problem):
        return Told(degraded, open=key)
    why = short.why()
    return Told((*degraded, *why), (key, why))


def _stays_short(plan: Plan, built: Built, state: State) -> bool:
    """Whether a large fleet falls short of the same services as in the turn before."""
    short = services_short(plan, built.whole)
    return not is_small(built.problem) and bool(short) and short == services_short(state.plan, built.whole)


def _key(plan: Plan, built: Built) -> str:
    """Of the question; of a large fleet, where some rate changes in every turn, the services stand for the rates."""
    rates = [(rate.service, rate.origin, rate.milli_rps) for rate in built.asked.rates]
    asked = rates if is_small(built.problem) else services_short(plan, built.whole)
    whole = built.whole
    known = (whole.certifications, whole.attestations, whole.provenances)
    parts = (whole.policy.revision, asked, whole.nodes, *known)
    return hashlib.sha256(repr(parts).encode()).hexdigest()
