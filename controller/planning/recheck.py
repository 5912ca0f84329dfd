"""Looking again just before acting: may a decision still be carried out?"""

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
    broken = tuple(v for v in verify(decision.plan, built.whole, Moment.PASSING) if v.rule in rules)
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
