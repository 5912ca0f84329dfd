"""Carrying out a transition: wave after wave, a wave's actions side by side, and nothing more once one has failed."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from controller.acting.actuator import Actuator, ActuatorError
from controller.actions import Action, Outcome, SetLoad, Transition, Unload, Wave
from controller.decision import Decision
from controller.journal.errors import JournalError
from controller.loop.catalogue import action_failed, evidence_ended, journal_refused
from policy.findings import Finding
from policy.resolved import Policy

Clock = Callable[[], datetime]


class Note(Protocol):
    """Notes a wave's outcomes in the journal before the next wave begins. Raises JournalError."""

    async def __call__(self, wave: str, done: Sequence[Outcome], outcomes: Sequence[Outcome]) -> None:
        """`done` came of this wave, `outcomes` of all waves so far; several waves can have one name."""


class Look(Protocol):
    """Looks again at servers and evidence, while a transition is under way."""

    async def __call__(self, left: Decision, outcomes: Sequence[Outcome]) -> tuple[Finding, ...]:
        """Why what is `left` of the decision must not be done after these outcomes; nothing when it may."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What actions are done with: the actuators, how many at once at a site, and how long one may take at most."""

    actuators: tuple[Actuator, ...]
    at_once: int = 4
    deadline: timedelta = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of a transition; `findings` say why it stopped, if it did. `noted`: the journal took it all."""

    outcomes: tuple[Outcome, ...] = ()
    findings: tuple[Finding, ...] = ()
    noted: bool = True


async def carry_out(
    decision: Decision,
    policy: Policy,
    hands: Hands,
    *,
    note: Note,
    look: Look,
    clock: Clock,
    stopping: Callable[[], bool],
) -> Carried:
    """Do the waves in order. A wave once begun is finished; what stops a transition is looked at between waves.

    When the evidence that is known ends is seen before each action, too: in a large wave the last ones begin long after
    the first. What was looked at longer ago than readings count is looked at again before the next wave.
    """
    outcomes: tuple[Outcome, ...] = ()
    looked, stale_after = clock(), timedelta(seconds=policy.scaling.stale_after_s)
    for index, wave in enumerate(decision.transition.waves):
        if stopping():
            return Carried(outcomes)
        against = _ended(decision, clock())
        if not against and clock() - looked > stale_after:
            against, looked = await look(_left(decision, index), outcomes), clock()
        if against:
            return Carried(outcomes, against)
        done = await _wave(decision, wave, policy, hands, clock)
        outcomes += done
        try:
            await note(wave.name, done, outcomes)
        except JournalError as error:
            return Carried(outcomes, (journal_refused(str(error)),), noted=False)
        against = _against(decision, done)
        if against:
            return Carried(outcomes, against)
    return Carried(outcomes)


def _left(decision: Decision, done: int) -> Decision:
    """The decision without its first waves."""
    waves = decision.transition.waves[done:]
    return replace(decision, transition=Transition(waves, sum(wave.duration_us for wave in waves)))


def _ended(decision: Decision, at: datetime) -> tuple[Finding, ...]:
    """That evidence behind the decision has ended by then, if it has."""
    until = decision.valid_until
    return (evidence_ended(decision.id, until),) if until is not None and at >= until else ()


def _against(decision: Decision, done: Sequence[Outcome]) -> tuple[Finding, ...]:
    """Why a transition stops at this wave: each action that failed, and once that evidence ended before others."""
    failed = (each for each in done if each.error and not _ended(decision, each.started))
    late = next(filter(None, (_ended(decision, each.started) for each in done)), ())
    return (*map(action_failed, failed), *late)


async def _wave(decision: Decision, wave: Wave, policy: Policy, hands: Hands, clock: Clock) -> tuple[Outcome, ...]:
    sites = {pool.name: pool.site for pool in policy.pools}
    free: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(hands.at_once))

    async def one(action: Action) -> Outcome:
        async with free[sites.get(_pool_of(action), "")]:
            started = clock()
            late = [str(finding) for finding in _ended(decision, started)]
            error = late[0] if late else await _act(decision.id, action, policy, hands)
            return Outcome(decision.id, wave.name, action, started, clock(), error)

    return tuple(await asyncio.gather(*map(one, wave.actions)))


async def _act(decision_id: str, action: Action, policy: Policy, hands: Hands) -> str:
    """What went wrong; empty when the action was done."""
    actuator = _actuator_for(action, hands.actuators)
    if actuator is None:
        return f"no actuator takes {type(action).__name__}: name its servers or gateways in the connections document"
    try:
        async with asyncio.timeout(hands.deadline.total_seconds()):
            await actuator.apply(decision_id, action, policy)
    except ActuatorError as error:
        return f"{actuator.name}: {error}"
    except TimeoutError:
        return f"{actuator.name}: not done within {hands.deadline.total_seconds():g} s: see its log"
    except Exception as error:  # noqa: BLE001 - a fault in one actuator must not lose what its neighbours did
        return f"{actuator.name}: {type(error).__name__}: {error}: a fault of Gridwright, report it"
    return ""


def _pool_of(action: Action) -> str:
    """The pool of the server that it is done to; empty for routes, which are done to gateways."""
    match action:
        case SetLoad(load):
            return load.placement.pool
        case Unload(placement):
            return placement.pool
    return ""


def _actuator_for(action: Action, actuators: Iterable[Actuator]) -> Actuator | None:
    return next((actuator for actuator in actuators if actuator.handles(action)), None)
