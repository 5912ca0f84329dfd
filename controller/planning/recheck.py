"""Looking again just before acting: may a decision still be carried out?

Evidence has to last as long as the decision said, which may be less than the lead of a new plan: where none is found,
what may serve for a while yet stays, and what may not is withdrawn by the same decision.
"""

from dataclasses import replace
from datetime import datetime

from collectors.snapshot import Snapshot
from controller.decision import Decision
from controller.planning import report
from controller.planning.build import build
from controller.planning.kept import Kept
from controller.planning.verify import Moment, verify
from policy.findings import Finding, Level
from policy.resolved import Policy
from rules.catalogue import EXCLUDING


def recheck(
    policy: Policy, snapshot: Snapshot, decision: Decision, now: datetime, kept: Kept | None = None
) -> tuple[Finding, ...]:
    """Why a decision must not be carried out any more, judged on a fresh snapshot; nothing when it may."""
    built = build(policy, snapshot, decision.state, now, kept)
    known = {path.id for path in built.whole.paths}
    lost = [route.path for route in decision.plan.routes if route.path not in known]
    if lost or policy.revision != decision.policy_revision:
        return (
            Finding(
                "GW2020",
                Level.WARNING,
                "the policy or the fleet changed while the decision was made",
                "nothing to do: the next turn decides anew",
                subject=decision.id,
            ),
        )
    rules = {rule.id for rule in EXCLUDING}
    needed_s = built.whole.needed_until_s
    until_s = int(decision.valid_until.timestamp()) if decision.valid_until else needed_s
    asked = replace(built.whole, needed_until_s=min(needed_s, until_s))
    broken = tuple(v for v in verify(decision.plan, asked, Moment.PASSING) if v.rule in rules)
    present = {node.name for node in built.whole.nodes}
    gone = sorted({item.node for item in decision.plan.instances} - present)
    vanished = tuple(
        Finding(
            "GW2021",
            Level.WARNING,
            f"node {node} of the plan is gone since the decision",
            "nothing to do: the next turn decides anew",
            subject=node,
        )
        for node in gone
    )
    return (*report.violated(broken), *vanished)
