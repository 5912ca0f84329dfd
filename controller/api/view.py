"""What the API is given to show."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry

from collectors.snapshot import Snapshot
from controller.decision import Decision, State
from controller.loop.status import Status
from controller.summary import Summary
from policy.resolved import Policy


@dataclass(frozen=True, slots=True)
class View:
    """The loop as seen from outside; nothing here changes it.

    `recent` gives at most so many of the last decisions, newest first. `decide` is called in a thread.
    """

    status: Callable[[], Status]
    recent: Callable[[int], tuple[Summary, ...]]
    decide: Callable[[Policy, Snapshot, State, datetime], Decision]
    registry: CollectorRegistry
    clock: Callable[[], datetime]
