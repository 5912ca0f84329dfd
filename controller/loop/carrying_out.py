"""Carrying out a transition: wave after wave, a wave's actions side by side, and nothing more once one has failed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from controller.actions import WITHDRAW, Outcome, Transition, is_aside
from controller.clocks import Clock
from controller.decision import Decision
from controller.journal.errors import JournalError
from controller.loop.at_work import AtWork, Hands, begun, ended_by, given_up, waited_for
from controller.loop.catalogue import action_failed, journal_refused
from controller.loop.stopping import StoppedError, Stopping
from controller.planning.transitions.duration import ahead_s, looked_every_s
from policy.findings import Finding
from policy.resolved import Policy


class Note(Protocol):
    """Notes a wave's outcomes in the journal before the next wave begins. Raises JournalError."""

    async def __call__(self, wave: str, done: Sequence[Outcome], outcomes: Sequence[Outcome]) -> None:
        """`done` came of this wave, `outcomes` of all waves so far; several waves can have one name."""


class Look(Protocol):
    """Looks again at servers and evidence, while a transition is under way."""

    async def __call__(self, left: Decision, outcomes: Sequence[Outcome]) -> tuple[Finding, ...]:
        """Why what is `left` of the decision must not be done after these outcomes; nothing when it may."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of a transition; `findings` say why it stopped, if it did. `noted`: the journal took it all.

    `given_up`: something was found that must not wait, so what was under way was given up for the next turn.
    """

    outcomes: tuple[Outcome, ...] = ()
    findings: tuple[Finding, ...] = ()
    noted: bool = True
    given_up: bool = False


async def carry_out(
    decision: Decision,
    policy: Policy,
    hands: Hands,
    *,
    note: Note,
    look: Look,
    watch: Look,
    clock: Clock,
    stopping: Stopping,
    preparing: asyncio.Task[tuple[Finding, ...]],
) -> Carried:
    """Do the waves in order. A wave once begun is finished; what stops a transition is looked at between waves.

    Once the controller is to end no action is begun any more, and what is under way then has a while to end.

    When the evidence that is known ends is seen before each action, too: in a large wave the last ones begin long after
    the first. What was looked at longer ago than readings count is looked at again before the next wave. While a wave
    is under way, `watch` tells what must not wait for its end. What is unloaded as others leave holds no later wave up,
    and stops none: nothing that is planned needs its room. After the first wave `preparing` is waited for.
    """
    work = _Work(decision, policy, hands, note, watch, clock, stopping)
    try:
        carried = await _in_order(work, look, preparing)
        if carried.given_up or not carried.noted:
            await given_up(work.aside)
        last = await work.finished(WITHDRAW, work.aside, len(decision.transition.waves)) if carried.noted else carried
    finally:
        await given_up(work.tasks)  # also where this is broken off: whoever goes on finds none of them under way
    found = (*last.findings, *carried.findings) if carried.noted else carried.findings
    return Carried(work.outcomes, found, last.noted, carried.given_up or last.given_up)


async def _in_order(work: "_Work", look: Look, preparing: asyncio.Task[tuple[Finding, ...]]) -> Carried:
    """Do the waves, and wait for none that is aside. With findings the transition stops."""
    looked, stale_after = work.clock(), timedelta(seconds=work.policy.scaling.stale_after_s)
    for index in range(len(work.decision.transition.waves)):
        if index:
            await preparing
        if work.stopping.is_told:
            break
        against = ended_by(work.decision, work.clock())
        # Where the clock was set back meanwhile, how long ago it was is not known.
        if not against and not timedelta() <= work.clock() - looked <= stale_after:
            try:
                async with work.stopping.at_once():
                    against, looked = await look(work.left(index, timedelta(0)), work.outcomes), work.clock()
            except StoppedError:
                break
        if against:
            return Carried(findings=against)
        carried = await work.wave(index)
        if carried.findings:
            return carried
    return Carried()


@dataclass(slots=True)
class _Work:
    """A transition at work: what came of it so far, and all its tasks; `aside` are those that no wave waits for."""

    decision: Decision
    policy: Policy
    hands: Hands
    note: Note
    watch: Look
    clock: Clock
    stopping: Stopping
    outcomes: tuple[Outcome, ...] = ()
    tasks: list[AtWork] = field(default_factory=list)
    aside: list[AtWork] = field(default_factory=list)

    async def wave(self, index: int) -> Carried:
        """Do a wave, and wait for what is not aside."""
        wave = self.decision.transition.waves[index]
        tasks = begun(self.decision, wave, self.policy, self.hands, clock=self.clock, stopping=self.stopping)
        aside = [task for task, action in zip(tasks, wave.actions, strict=True) if is_aside(wave.name, action)]
        self.tasks += tasks
        self.aside += aside
        return await self.finished(wave.name, [task for task in tasks if task not in aside], index)

    async def finished(self, wave: str, tasks: Sequence[AtWork], index: int) -> Carried:
        """Wait for tasks of a wave, as others of `index` are under way, and note what came of them."""
        began = self.clock()
        against = await waited_for(tasks, self._every, lambda: self._watched(index, began), self.stopping)
        done = tuple(each for task in tasks if (each := task.result()) is not None)
        self.outcomes += done
        try:
            if done:
                await self.note(wave, done, self.outcomes)
        except JournalError as error:
            return Carried(findings=(journal_refused(str(error)),), noted=False)
        return Carried(findings=against or _against(self.decision, done), given_up=bool(against))

    @property
    def _every(self) -> timedelta:
        return timedelta(seconds=looked_every_s(self.policy.scaling))

    async def _watched(self, index: int, began: datetime) -> tuple[Finding, ...]:
        """What must not wait until the wave is over: requests go, or are about to, where they soon may not.

        Evidence may have been renewed since the decision, so by what is known now it has to last, and no longer.
        """
        ahead, now = timedelta(seconds=ahead_s(self.policy.scaling)), self.clock()
        left, until = self.left(index, now - began, ahead), self.decision.valid_until
        return await self.watch(replace(left, valid_until=until and max(until, now + ahead)), self.outcomes)

    def left(self, index: int, passed: timedelta, least: timedelta = timedelta(0)) -> Decision:
        """The decision from a wave on that takes so long less than predicted, but `least`."""
        waves = self.decision.transition.waves[index:]
        this = timedelta(microseconds=sum(wave.duration_us for wave in waves[:1]))
        later_us = sum(wave.duration_us for wave in waves[1:])
        duration_us = max(this - passed, least) // timedelta(microseconds=1) + later_us
        return replace(self.decision, transition=Transition(waves, duration_us))


def _against(decision: Decision, done: Sequence[Outcome]) -> tuple[Finding, ...]:
    """Why a transition stops at this wave: each action that failed, and once that evidence ended before others."""
    failed = (each for each in done if each.result == "failed" and not ended_by(decision, each.started))
    late = next(filter(None, (ended_by(decision, each.started) for each in done)), ())
    return (*map(action_failed, failed), *late)
