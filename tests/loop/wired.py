"""What the tests of the loop put in place of its parts, and a loop made of them."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from collectors.snapshot import Snapshot
from controller.acting.actuator import ActuatorError
from controller.acting.dry_run import DryRun
from controller.actions import Action
from controller.journal.writer import Journal
from controller.loop.at_work import Hands
from controller.loop.turn import Wiring
from policy.findings import Finding, Level
from policy.resolved import Policy
from policy.source import Loaded
from tests.loop.building import NOW, move, policy, snapshot

BROKEN = Loaded(None, (Finding("GW0101", Level.ERROR, "no YAML", "correct line 3"),))


class Clock:
    """Time that goes on by itself, a millisecond a look, so that order can be read from it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


class Seen:
    """A collector that tells what it was given to tell."""

    def __init__(self, name: str, *, delay_s: float = 0, error: Exception | None = None) -> None:
        self.name = name
        self.delay_s = delay_s
        self.error = error
        self.asked = 0

    async def collect(self, now: datetime) -> Snapshot:
        self.asked += 1
        await asyncio.sleep(self.delay_s)
        if self.error is not None:
            raise self.error
        return (
            replace(snapshot(now), offered=(), latency=())
            if self.name == "servers"
            else replace(snapshot(now), servers=())
        )


class Refusing:
    """An actuator whose real part refuses one kind of action."""

    name = "refusing"

    def __init__(self, kind: type) -> None:
        self.kind = kind

    def handles(self, action: Action) -> bool:
        return isinstance(action, self.kind)

    async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:  # noqa: ARG002
        raise ActuatorError("the server refused: see its log")


def wiring_of(folder: Path, journal: Journal, dry: DryRun) -> Wiring:
    servers = Seen("servers")
    return Wiring(
        folder=folder,
        load=lambda _: Loaded(policy()),
        collectors=(servers, Seen("rates")),
        servers=(servers,),
        decide=lambda _policy, _snapshot, state, now: move(state, now),
        recheck=lambda *_: (),
        journal=journal,
        hands=Hands((dry,)),
        clock=Clock(),
        collect_deadline_s=0.2,
    )
