"""Deciding in a process that lives for one command."""

from datetime import UTC, datetime

from controller.cli.inputs import Documents
from controller.cli.terminal import working
from controller.decision import Decision, State
from controller.documents import observe
from controller.planning.decide import decide


def decide_from_documents(documents: Documents) -> Decision:
    """The decision for a fleet on which nothing runs yet."""
    now = datetime.now(UTC)
    snapshot = observe(documents.policy, documents.evidence, now, documents.findings)
    with working("Planning"):
        return decide(documents.policy, snapshot, State(), now)
