"""Turn after turn at a fixed interval, one at a time, until it is stopped."""

import asyncio
import logging
import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Final

from opentelemetry.trace import Tracer

from controller.clocks import NotAhead
from controller.journal.errors import JournalError
from controller.loop.catalogue import journal_refused, turn_failed
from controller.loop.polishing import Polishing
from controller.loop.status import Status
from controller.loop.stopping import StoppedError, Stopping
from controller.loop.turn import Memory, Turned, Wiring, turn
from controller.telemetry.phases import Phases
from policy.findings import Finding, Level

LOG: Final = logging.getLogger("gridwright.loop")
UNTIL_A_POLICY_S: Final = 5
"""The interval while no policy says one."""

LEVELS: Final = {Level.ERROR: logging.ERROR, Level.WARNING: logging.WARNING, Level.INFO: logging.INFO}

Watch = Callable[[Status], None]


class Runner:
    """Runs the loop in one task. `nudge` and `stop` may be called from anywhere in the same event loop."""

    def __init__(self, wiring: Wiring, memory: Memory, tracer: Tracer, watch: Watch = lambda _: None) -> None:
        self._wiring = wiring
        self._memory = memory
        self._tracer = tracer
        self._watch = watch
        self._polishing = Polishing(wiring.polish) if wiring.polish else None
        self._not_ahead = NotAhead(wiring.clock)
        self._wake = asyncio.Event()
        self._stopping = Stopping()
        self._status = Status(in_force=memory.in_force, interval_s=_interval_s(memory))

    @property
    def status(self) -> Status:
        """The loop as it stood after its last turn."""
        return self._status

    def nudge(self) -> None:
        """Have the next turn begin at once, or right after the one that runs."""
        self._wake.set()

    def stop(self) -> None:
        """Have `run` return: no action begins any more, and what is under way is waited for, but not without end."""
        self._stopping.tell()
        self._wake.set()

    async def run(self) -> None:
        """Turns begin at fixed instants of the event loop's clock; those that a long turn overran are left out.

        Cancelling the task abandons the wave that runs. That is safe, if less tidy than `stop`: actions name the state
        that is wanted, and the next start looks at what is there.
        """
        clock = asyncio.get_running_loop()
        due = clock.time()
        try:
            while not self._stopping.is_told:
                self._wake.clear()
                await self._turn()
                due = next_due(due, _interval_s(self._memory), clock.time())
                await self._rest(due)
        finally:
            if self._polishing:
                await self._polishing.close()

    async def _rest(self, until: float) -> None:
        try:
            async with asyncio.timeout_at(until):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _turn(self) -> None:
        phases = Phases(self._tracer)
        self._weigh_proposal()
        with self._tracer.start_as_current_span("turn") as span:
            try:
                with self._polishing.held() if self._polishing else nullcontext():
                    turned = await turn(self._wiring, self._memory, phases, self._stopping)
            except StoppedError:
                return
            except Exception as error:
                LOG.exception("the turn failed; what runs stays as it is")
                span.record_exception(error)
                self._tell(replace(self._status, findings=(turn_failed(error),), failed=True), phases)
                return
            self._memory = turned.memory
            span.set_attribute("gridwright.journal_digest", turned.digest)
        if turned.carried.given_up:
            self.nudge()
        if self._polishing:
            self._polishing.look(turned, self._wiring.clock())
        goes_on = not (turned.carried.given_up or self._stopping.is_told)
        more = (*await self._kept(turned), *await self._tidied()) if goes_on else ()
        self._tell(_status_of(self._status, turned, more), phases)
        if goes_on and not self._stopping.is_told:
            await self._answer()

    def _weigh_proposal(self) -> None:
        """Have the turn weigh what a search at rest has found."""
        found = self._polishing.proposal(self._wiring.clock()) if self._polishing else None
        if found is not None:
            self._memory = replace(self._memory, state=replace(self._memory.state, proposal=found))

    async def _answer(self) -> None:
        """Have the next turn know why the fleet falls short, where this one left that open: acting came first."""
        state, answer = self._memory.state, self._wiring.answer
        if answer is None or not state.left_open:
            return
        try:
            found = await asyncio.to_thread(answer)
        except Exception:
            LOG.exception("why services fall short was not found; the next turn that asks tries again")
            return
        self._memory = replace(self._memory, state=replace(state, conflict=(state.left_open, found)))

    async def _kept(self, turned: Turned) -> tuple[Finding, ...]:
        """Have the parts as the decision needs them, where it was noted."""
        decision, upkeep, policy = turned.decision, self._wiring.upkeep, turned.memory.in_force.policy
        if upkeep is None or decision is None or policy is None or not turned.digest:
            return ()
        try:
            return await upkeep.keep(policy, decision.fleet, turned.snapshot, is_reached=turned.is_reached)
        except Exception as error:
            LOG.exception("the upkeep failed; the next turn tries again")
            return (turn_failed(error),)

    async def _tidied(self) -> tuple[Finding, ...]:
        """Let the journal forget what it need not keep, and nothing before its time by a clock that runs ahead."""
        try:
            policy = self._memory.in_force.policy
            if policy is None:
                return ()  # what is to be kept is not known
            kept = timedelta(seconds=policy.audited_s)
            kept_since = self._not_ahead() - kept if kept else None
            await asyncio.to_thread(self._wiring.journal.forget_oldest, kept_since)
        except JournalError as error:
            return (journal_refused(str(error)),)
        except Exception as error:
            LOG.exception("the journal was not tidied; the next turn tries again")
            return (turn_failed(error),)
        return ()

    def _tell(self, status: Status, phases: Phases) -> None:
        told = {_about(finding) for finding in self._status.findings}
        for finding in status.findings:
            if _about(finding) not in told:
                LOG.log(LEVELS[finding.level], "%s", finding)
        self._status = replace(
            status,
            turns=status.turns + 1,
            interval_s=_interval_s(self._memory),
            ended=self._wiring.clock(),
            phases=phases.seconds,
        )
        try:
            self._watch(self._status)
        except Exception:
            LOG.exception("who watches the loop failed at what the turn told; the loop goes on")


def _about(finding: Finding) -> tuple[object, ...]:
    """What a finding is about: one that only counts on from turn to turn is logged once."""
    return (finding.id, finding.level, finding.place, finding.subject or finding.message)


def next_due(due: float, interval_s: float, now: float) -> float:
    """The first of `due`, `due + interval_s` and so on that is still to come."""
    return due + interval_s * max(0, math.floor((now - due) / interval_s) + 1)


def _interval_s(memory: Memory) -> int:
    return memory.in_force.policy.scaling.interval_s if memory.in_force.policy else UNTIL_A_POLICY_S


def _status_of(before: Status, turned: Turned, more: tuple[Finding, ...]) -> Status:
    decided = turned.decision is not None
    return replace(
        before,
        in_force=turned.memory.in_force,
        snapshot=turned.snapshot,
        decision=turned.decision if decided else before.decision,
        outcomes=turned.carried.outcomes if decided else before.outcomes,
        findings=(*turned.findings(), *more),
        noted=turned.carried.noted,
        failed=False,
        digest=turned.digest or before.digest,
    )
