"""One turn of the loop. All I/O is in the parts that it is given."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from collectors.collector import Collector
from collectors.snapshot import Snapshot
from controller.acting.actuator import ActuatorError, UnreadError
from controller.actions import Outcome, is_aside
from controller.clocks import Clock
from controller.connections.servers import ServerKey
from controller.decision import Decision, State
from controller.fleet import Fleet, RouteSet
from controller.journal.errors import JournalError
from controller.journal.writer import Journal
from controller.loop.at_work import Hands
from controller.loop.carrying_out import Carried, carry_out
from controller.loop.catalogue import is_collector_trouble, journal_refused, routes_unread
from controller.loop.followed import with_routes
from controller.loop.leaving import only_leaves_first
from controller.loop.observing import Parts, observe
from controller.loop.policies import InForce, reloaded
from controller.loop.remembering import changed, remembered
from controller.loop.stopping import StoppedError, Stopping
from controller.telemetry.phases import Phases, described
from policy.findings import Finding
from policy.resolved import Policy
from policy.source import Loaded
from rules.kernel.plan import Plan

COLLECTED_S: Final = 4.0
"""How long all collectors together may hold up a turn."""
OF_THE_FLEET: Final = frozenset({"GW2020", "GW2021"})
"""What a second look tells of servers that are gone: what was begun on others is finished all the same."""
Decide = Callable[[Policy, Snapshot, State, datetime], Decision]
Polish = Callable[[Policy, Snapshot, State, datetime, threading.Event], Plan | None]
Answer = Callable[[], tuple[Finding, ...]]
Recheck = Callable[[Policy, Snapshot, Decision, datetime, Iterable[RouteSet]], tuple[Finding, ...]]


class RouteReader(Protocol):
    """Tells what the gateways follow, so that the loop need not believe what it once asked for."""

    async def routes(self) -> tuple[RouteSet, ...]:
        """Raises ActuatorError when they cannot be read, and UnreadError where that is so of some gateways alone."""


class Upkeep(Protocol):
    """Brings about what parts need beside actions, before those of a turn and once they are done.

    Both tell what a person has to know of it, raise nothing of the parts, and are bounded in time.
    """

    async def prepare(
        self, policy: Policy, snapshot: Snapshot, running: Fleet, decision: Decision
    ) -> tuple[Finding, ...]:
        """Have parts ready for the actions of a decision; also where there are none. `running` is what was before.

        What a first wave only takes away is taken away meanwhile.
        """

    async def keep(
        self, policy: Policy, planned: Fleet, snapshot: Snapshot, *, is_reached: bool
    ) -> tuple[Finding, ...]:
        """Have parts as a plan needs them; without `is_reached`, they are not all as planned yet."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a loop is made of.

    `servers` are asked again just before acting; they tell of servers, of evidence and of inventory. What was done to
    servers, or is about to be, is told to `again`, so that they are read whose turn it is not. `polish` looks for a
    better plan while the fleet is at rest; without it the loop only does what a turn has time for. `answer` finds, once
    a turn has acted, why a large fleet falls short; without it, the turn does. `upkeep` comes before and after the
    actions of each turn.
    """

    folder: Path
    load: Callable[[Path], Loaded]
    collectors: tuple[Collector, ...]
    servers: tuple[Collector, ...]
    decide: Decide
    recheck: Recheck
    journal: Journal
    hands: Hands
    clock: Clock
    routes: RouteReader | None = None
    polish: Polish | None = None
    answer: Answer | None = None
    upkeep: Upkeep | None = None
    again: Callable[[frozenset[ServerKey]], None] = lambda _: None
    collect_deadline_s: float = COLLECTED_S


@dataclass(frozen=True, slots=True)
class Memory:
    """What one turn leaves to the next."""

    in_force: InForce = field(default_factory=InForce)
    state: State = field(default_factory=State)
    parts: Parts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turned:
    """What a turn did. Without a policy in force there is no decision.

    `digest` is that of the journal's entry for the decision, in hex; empty when there is none, and then nothing was
    acted on.
    """

    memory: Memory
    snapshot: Snapshot
    decision: Decision | None = None
    carried: Carried = field(default_factory=Carried)
    unread: tuple[Finding, ...] = ()
    digest: str = ""

    @property
    def is_reached(self) -> bool:
        """Whether all that the decision asked for was done, but for what has to go and hangs, which it asks again."""
        waves = self.decision.transition.waves if self.decision else ()
        done = [each for each in self.carried.outcomes if not each.error or is_aside(each.wave, each.action)]
        return self.decision is not None and len(done) == sum(len(wave.actions) for wave in waves)

    def findings(self) -> tuple[Finding, ...]:
        """Everything to tell a person after this turn."""
        seen = self.decision.findings if self.decision else self.snapshot.findings
        return (*self.memory.in_force.findings, *seen, *self.unread, *self.carried.findings)


@dataclass(frozen=True, slots=True)
class Case:
    """A decision with what it was made from; `parts` are what each collector saw."""

    policy: Policy
    snapshot: Snapshot
    state: State
    decision: Decision
    parts: Parts


async def turn(wiring: Wiring, memory: Memory, phases: Phases, stopping: Stopping) -> Turned:
    """Read the policy, collect, decide, note, look again, act, note.

    Raises StoppedError where it was told to end before anything was noted.
    """
    with phases("policy"):
        loaded = await asyncio.to_thread(wiring.load, wiring.folder)
    in_force = reloaded(memory.in_force, loaded, wiring.clock())
    wiring.again(frozenset((each.placement.pool, each.node) for each in memory.state.hung))
    now = wiring.clock()
    with phases("collect"):
        async with stopping.at_once():
            snapshot, parts = await observe(wiring.collectors, now, wiring.collect_deadline_s, memory.parts)
            if in_force.policy is None:
                return Turned(replace(memory, in_force=in_force, parts=parts), snapshot)
            state, unread = await _with_real_routes(wiring.routes, memory.state, in_force.policy)
    state = replace(state, left_open=None if wiring.answer is None else "")
    with phases("decide") as span:
        decision = await asyncio.to_thread(wiring.decide, in_force.policy, snapshot, state, now)
        span.set_attributes(described(decision))
    if stopping.is_told:
        raise StoppedError
    case = Case(in_force.policy, snapshot, state, decision, parts)
    digest, carried = await _note_and_carry(wiring, case, phases, stopping)
    after = remembered(state, decision, carried.outcomes) if digest else state
    return Turned(Memory(in_force, after, parts), snapshot, decision, carried, unread, digest)


async def _with_real_routes(
    reader: RouteReader | None, state: State, policy: Policy
) -> tuple[State, tuple[Finding, ...]]:
    if reader is None:
        return state, ()
    try:
        return with_routes(state, await reader.routes(), policy), ()
    except UnreadError as error:
        return with_routes(state, error.read, policy, error.origins, error.maybe), (routes_unread(str(error)),)
    except ActuatorError as error:
        return state, (routes_unread(str(error)),)


async def _note_and_carry(wiring: Wiring, case: Case, phases: Phases, stopping: Stopping) -> tuple[str, Carried]:
    """The digest of the decision's entry in hex, empty when it was not taken, and what was done because of it."""
    try:
        with phases("journal"):
            digest = await asyncio.to_thread(
                wiring.journal.decided, case.policy, case.snapshot, case.state, case.decision
            )
    except JournalError as error:
        return "", Carried(findings=(journal_refused(str(error)),), noted=False)
    if case.decision.acts and stopping.is_told:
        return digest.hex(), Carried()
    preparing = asyncio.create_task(_prepared(wiring, case))
    try:
        if not only_leaves_first(case.decision.transition, case.state.fleet):
            await preparing
        carried = await _carry(wiring, case, phases, stopping, preparing)
        prepared = () if carried.given_up and not preparing.done() else await preparing
    finally:
        preparing.cancel()
        await asyncio.wait({preparing})
    return digest.hex(), replace(carried, findings=(*prepared, *carried.findings))


async def _prepared(wiring: Wiring, case: Case) -> tuple[Finding, ...]:
    """What parts tell that were made ready. Actions are done all the same: they may be what takes from whom it must."""
    if wiring.upkeep is None:
        return ()
    return await wiring.upkeep.prepare(case.policy, case.snapshot, case.state.fleet, case.decision)


async def _carry(
    wiring: Wiring, case: Case, phases: Phases, stopping: Stopping, preparing: asyncio.Task[tuple[Finding, ...]]
) -> Carried:
    """Carry the decision out, as far as a second look allows, and but for its first wave once parts are prepared."""

    async def note(wave: str, done: Sequence[Outcome], outcomes: Sequence[Outcome]) -> None:
        after = remembered(case.state, case.decision, outcomes)
        await asyncio.to_thread(wiring.journal.acted, case.decision, wave, tuple(done), after)

    async def look(left: Decision, outcomes: Sequence[Outcome]) -> tuple[Finding, ...]:
        return await _look_again(wiring, case, left, outcomes)

    async def watch(left: Decision, outcomes: Sequence[Outcome]) -> tuple[Finding, ...]:
        newest = (await asyncio.to_thread(wiring.load, wiring.folder)).policy or case.policy
        seen, _ = await observe(wiring.servers, wiring.clock(), wiring.collect_deadline_s, case.parts)
        judged = replace(left, policy_revision=newest.revision)  # it may be another, and have nothing against it
        found = await _rechecked(wiring, replace(case, policy=newest), seen, judged, outcomes)
        is_another = newest.revision != case.policy.revision
        return tuple(each for each in found if is_another or each.id not in OF_THE_FLEET)

    against: tuple[Finding, ...] = ()
    if case.decision.transition.waves:
        try:
            with phases("verify"):
                async with stopping.at_once():
                    against = await look(case.decision, ())
        except StoppedError:
            return Carried()
        if not against:
            with phases("act"):
                carried = await carry_out(
                    case.decision,
                    case.policy,
                    wiring.hands,
                    note=note,
                    look=look,
                    watch=watch,
                    clock=wiring.clock,
                    stopping=stopping,
                    preparing=preparing,
                )
            wiring.again(case.decision.transition.servers())
            return carried
    try:
        await note("", (), ())
    except JournalError as error:
        return Carried(findings=(*against, journal_refused(str(error))), noted=False)
    return Carried(findings=against)


async def _look_again(wiring: Wiring, case: Case, left: Decision, outcomes: Sequence[Outcome]) -> tuple[Finding, ...]:
    """Why what is left of the decision must not be done any more, seen on servers and evidence as they are now."""
    wiring.again(left.transition.servers())
    now = wiring.clock()
    fresh, _ = await observe(wiring.servers, now, wiring.collect_deadline_s)
    unseen = tuple(filter(is_collector_trouble, fresh.findings))
    if unseen:
        return unseen
    return await _rechecked(wiring, case, fresh, left, outcomes)


async def _rechecked(
    wiring: Wiring, case: Case, fresh: Snapshot, left: Decision, outcomes: Sequence[Outcome]
) -> tuple[Finding, ...]:
    """Why what is left of the decision must not be done, by what was just seen of servers, evidence and inventory."""
    seen = replace(
        case.snapshot, at=fresh.at, servers=fresh.servers, evidence=fresh.evidence, inventory=fresh.inventory
    )
    followed = changed(case.state.fleet, (each.action for each in outcomes if not each.error)).routes
    return await asyncio.to_thread(wiring.recheck, case.policy, seen, left, fresh.at, followed)
