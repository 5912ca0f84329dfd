"""The policy in force: the last good one, and why a newer one is not."""

from dataclasses import dataclass, replace
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

    @property
    def commit(self) -> str:
        """The git commit in force; empty where the policy is not from one."""
        return self.policy.commit if self.policy else ""


def reloaded(before: InForce, loaded: Loaded, now: datetime) -> InForce:
    """What is in force after the source was read again: what it gives if that is good, else an earlier policy."""
    errors = sum(finding.level is Level.ERROR for finding in loaded.findings)
    if loaded.policy is not None and not errors:
        return InForce(loaded.policy, loaded.findings)
    stays = InForce(loaded.policy or before.policy, (), before.refused_since or now)
    return replace(stays, findings=(policy_refused(errors, stays.revision, stays.commit), *loaded.findings))
