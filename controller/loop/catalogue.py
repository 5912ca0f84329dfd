"""Every finding that the loop, the actuators' callers, the journal and replay make, in the one place that words it."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from controller.actions import Outcome
from policy.findings import Finding, Level
from policy.words import counted

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "GW3001": "a collector was not done in time, or failed",
        "GW3002": "the policy files are broken, an earlier policy stays in force",
        "GW3003": "no action is taken, for the journal cannot be written",
        "GW3004": "an action was not brought about",
        "GW3005": "evidence behind a plan ended while it was carried out",
        "GW3006": "a turn failed",
        "GW3007": "what the gateways follow cannot be read",
        "GW3010": "a journal entry is not what was written",
        "GW3011": "a policy document in the journal is not what was written",
    }
)


def collector_trouble(name: str, trouble: str) -> Finding:
    """A collector that gave nothing this turn."""
    hint = "see whether what it reads is up; its last readings are used until they are stale"
    return Finding("GW3001", Level.WARNING, f"{name}: {trouble}", hint, subject=name)


def is_collector_trouble(finding: Finding) -> bool:
    """Whether it says that a collector gave nothing."""
    return finding.id == "GW3001"


def policy_refused(errors: int, revision: str, commit: str = "") -> Finding:
    """The files do not give a policy; the errors themselves are findings of their own."""
    of = f" of commit {commit[:12]}" if commit else ""
    stays = (
        f"revision {revision[:12]}{of} stays in force" if revision else "there is no earlier one, so nothing is done"
    )
    hint = "correct the findings of the policy files; `gridwright check` lists them"
    return Finding("GW3002", Level.ERROR, f"the policy files have {counted(errors, 'error')}; {stays}", hint)


def journal_refused(trouble: str) -> Finding:
    """Nothing is acted on without an entry."""
    hint = "the message says what to see to; the loop acts again at the first turn that can be noted"
    return Finding("GW3003", Level.ERROR, f"no action is taken: {trouble}", hint)


def action_failed(outcome: Outcome) -> Finding:
    """The transition stops at the wave of this action."""
    hint = "the transition stopped here and the next turn decides anew from what is observed"
    return Finding("GW3004", Level.ERROR, outcome.error, hint, subject=outcome.decision)


def evidence_ended(decision: str, at: datetime) -> Finding:
    """What the plan relied on holds no longer."""
    message = f"evidence behind the plan ends at {at.isoformat()}, so the rest of its transition is left undone"
    hint = "nothing to do: the next turn decides without that evidence"
    return Finding("GW3005", Level.WARNING, message, hint, subject=decision)


def turn_failed(error: BaseException) -> Finding:
    """A fault of Gridwright itself; what runs is left as it is."""
    message = f"the turn failed ({type(error).__name__}: {error}); what runs stays as it is"
    hint = "report it with the log's traceback and the journal's last entry; the next turn tries again"
    return Finding("GW3006", Level.ERROR, message, hint)


def routes_unread(trouble: str) -> Finding:
    """The routes that were last set are taken for those in force, and beside them what may be followed instead."""
    hint = "the routes that were last set are taken for those in force; what was tried since may be followed as well"
    return Finding("GW3007", Level.WARNING, trouble, hint)
