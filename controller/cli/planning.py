"""Deciding in a process that lives for one command."""

from collections.abc import Collection
from datetime import UTC, datetime

from controller.cli.terminal import working
from controller.decision import Decision, State
from controller.documents import Documents, observe
from controller.planning.build import build
from controller.planning.decide import decide
from controller.planning.explaining.explanation import Explanation, explained
from rules.kernel.formulation import Exclusion
from rules.kernel.problem import Placement


def decide_from_documents(documents: Documents) -> Decision:
    """The decision for a fleet on which nothing runs yet."""
    now = datetime.now(UTC)
    snapshot = observe(documents.policy, documents.evidence, now, documents.findings)
    with working("Planning"):
        return decide(documents.policy, snapshot, State(), now)


def exclusions_from_documents(documents: Documents, decision: Decision) -> tuple[Exclusion, ...]:
    """Why options may not serve, in the problem that was decided on."""
    snapshot = observe(documents.policy, documents.evidence, decision.at, documents.findings)
    return build(documents.policy, snapshot, decision.state, decision.at).exclusions


def explain_from_documents(documents: Documents, decision: Decision, wanted: Collection[Placement]) -> Explanation:
    """What is told of that decision, with the runners-up of the placements that are wanted."""
    snapshot = observe(documents.policy, documents.evidence, decision.at, documents.findings)
    with working("Explaining"):
        return explained(documents.policy, snapshot, decision.state, decision.plan, now=decision.at, wanted=wanted)
