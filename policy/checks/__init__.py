"""What is wrong or suspicious between documents that are each valid."""

from collections.abc import Iterable, Sequence

from policy.checks.absences import absences
from policy.checks.contradictions import doubled_links
from policy.checks.encodings import idle_encodings
from policy.checks.first_responses import without_first_response
from policy.checks.gathered import parted
from policy.checks.issuers import issuers
from policy.checks.limits import beyond_limits
from policy.checks.loosening import loosened
from policy.checks.pins import pinned_nowhere
from policy.checks.references import Reference, Unread, nowhere
from policy.checks.removals import odd_removals
from policy.checks.roomless import roomless
from policy.checks.sleeping import sleepless
from policy.checks.survivors import too_few_sites
from policy.checks.suspicious import suspicious
from policy.checks.tiers import without_a_tier
from policy.checks.unreachable import unreachable
from policy.findings import Finding
from policy.resolved import Policy
from policy.validate import Valid


def check(policy: Policy, documents: Sequence[Valid], referred: Iterable[Reference], unread: Unread) -> list[Finding]:
    """Everything found, errors and warnings. What could not be read is not missed."""
    of_the_whole = [] if unread else _of_the_whole(policy)
    of_tiers = [*loosened(policy), *beyond_limits(policy, documents)]
    return [*nowhere(documents, referred, unread), *doubled_links(policy), *issuers(policy), *of_tiers, *of_the_whole]


def _of_the_whole(policy: Policy) -> list[Finding]:
    """What is judged only when every document could be read."""
    return [
        *absences(policy),
        *idle_encodings(policy),
        *odd_removals(policy),
        *parted(policy),
        *pinned_nowhere(policy),
        *without_first_response(policy),
        *roomless(policy),
        *sleepless(policy),
        *suspicious(policy),
        *too_few_sites(policy),
        *unreachable(policy),
        *without_a_tier(policy),
    ]
