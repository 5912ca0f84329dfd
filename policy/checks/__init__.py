"""What is wrong or suspicious between documents that are each valid."""

from collections.abc import Sequence

from policy.checks.absences import absences
from policy.checks.contradictions import contradictions
from policy.checks.issuers import issuers
from policy.checks.references import Unread, references
from policy.findings import Finding
from policy.resolved import Policy
from policy.validate import Valid


def check(policy: Policy, documents: Sequence[Valid], unread: Unread) -> list[Finding]:
    """Everything found, errors and warnings. What could not be read is not missed."""
    missing = [] if unread else absences(policy)
    return [*references(documents, unread), *contradictions(policy), *issuers(policy), *missing]
