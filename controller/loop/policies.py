"""The policy in force: the last good one, and why a newer one is not."""

from dataclasses import dataclass
from datetime import datetime

from controller.loop.catalogue import policy_refused
from policy.findings import Finding, Level
from policy.resolved import Policy
from policy.source import Loaded


@dataclass(frozen=True, slots=True)
class InForce:
    """The policy that decisions follow, None before the first good one.

    `findings` are those of the files as they are now; with errors among them, `policy` is an earlier one and
    `refused_since` says since when.
    """

    policy: Policy | None = None
    findings: tuple[Finding, ...] = ()
    refused_since: datetime | None = None

    @property
    def revision(self) -> str:
        """The revision in force; empty before the first good one."""
        return self.policy.revision if self.policy else ""


def reloaded(before: InForce, loaded: Loaded, now: datetime) -> InForce:
    """What is in force after the files were read again: the new policy if it is good, else the one before."""
    if loaded.policy is not None:
        return InForce(loaded.policy, loaded.findings)
    errors = sum(finding.level is Level.ERROR for finding in loaded.findings)
    findings = (policy_refused(errors, before.revision), *loaded.findings)
    return InForce(before.policy, findings, before.refused_since or now)
