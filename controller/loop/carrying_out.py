"""Carrying out a transition: wave after wave, a wave's actions side by side, and nothing more once one has failed."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from controller.acting.actuator import Actuator, ActuatorError, HangError
from controller.actions import Action, Outcome, Transition, Unload, Wave, is_aside, seat_of
from controller.decision import Decision
from controller.fleet import Seat
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
    """What actions are done with: the actuators, how many at once at a site, and how long one may take at most.

    An unload that is asked of a server although that hangs is given `hanging` alone.
    """

    actuators: tuple[Actuator, ...]
    at_once: int = 4
    deadline: timedelta = timedelta(seconds=90)
    hanging: timedelta = timedelta(seconds=10)


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
    the first. What was looked at longer ago than readings count is looked at again before the next wave. What cannot be
    unloaded as others leave stops nothing: no later wave needs its room.
    """
    outcomes: tuple[Outcome, ...] = ()
    kept: tuple[Finding, ...] = ()
    looked, stale_after = clock(), timedelta(seconds=policy.scaling.stale_after_s)
    for index, wave in enumerate(decision.transition.waves):
        if stopping():
            return Carried(outcomes, kept)
        against = _ended(decision, clock())
        if not against and clock() - looked > stale_after:
            against, looked = await look(_left(decision, index), outcomes), clock()
        if against:
            return Carried(outcomes, (*kept, *against))
        done = await _wave(decision, wave, policy, hands, clock)
        outcomes += done
        try:
            await note(wave.name, done, outcomes)
        except JournalError as error:
            return Carried(outcomes, (*kept, journal_refused(str(error))), noted=False)
        needed = [each for each in done if not is_aside(each.wave, each.action)]
        kept += _against(decision, [each for each in done if each not in needed])
        against = _against(decision, needed)
        if against:
            return Carried(outcomes, (*kept, *against))
    return Carried(outcomes, kept)


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
    hanging: Counter[str] = Counter()

    async def one(action: Action) -> Outcome:
        site = sites.get(_pool_of(action), "")
        async with free[site]:
            started = clock()
            trouble = _not_begun(decision, started, hanging[site], hands)
            if trouble is None:
                trouble = await _act(decision, action, policy, hands)
            hanging[site] += trouble.hung is not None
            return Outcome(decision.id, wave.name, action, started, clock(), trouble.told, trouble.hung)

    return tuple(await asyncio.gather(*map(one, wave.actions)))


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What went wrong, empty where nothing did; and the seat whose server hangs, if that is why."""

    told: str = ""
    hung: Seat | None = None


def _not_begun(decision: Decision, at: datetime, hanging: int, hands: Hands) -> _Trouble | None:
    """Why an action is not begun that had to wait for others of its wave: evidence ended, or those before it hung.

    Were each waited for, a site whose servers all hang would hold a turn up for minutes.
    """
    ended = _ended(decision, at)
    if ended:
        return _Trouble(str(ended[0]))
    if hanging >= hands.at_once:
        return _Trouble(f"not begun, as {hanging} servers of its site hang: the next turn goes on without these")
    return None


async def _act(decision: Decision, action: Action, policy: Policy, hands: Hands) -> _Trouble:
    """Do an action, and tell what went wrong."""
    actuator, seat = _actuator_for(action, hands.actuators), seat_of(action)
    if actuator is None:
        kind = type(action).__name__
        return _Trouble(f"no actuator takes {kind}: name its servers or gateways in the connections document")
    known = isinstance(action, Unload) and any(each.seat == seat for each in decision.state.hung)
    patience_s = (hands.hanging if known else hands.deadline).total_seconds()
    try:
        async with asyncio.timeout(patience_s):
            await actuator.apply(decision.id, action, policy)
    except HangError as error:
        return _Trouble(f"{actuator.name}: {error}", error.seat)
    except ActuatorError as error:
        return _Trouble(f"{actuator.name}: {error}")
    except TimeoutError:
        return _Trouble(f"{actuator.name}: not done within {patience_s:g} s: see its log", seat)
    except Exception as error:  # noqa: BLE001 - a fault in one actuator must not lose what its neighbours did
        return _Trouble(f"{actuator.name}: {type(error).__name__}: {error}: a fault of Gridwright, report it")
    return _Trouble()


def _pool_of(action: Action) -> str:
    """The pool of the server that it is done to; empty for routes, which are done to gateways."""
    seat = seat_of(action)
    return seat[0].pool if seat else ""


def _actuator_for(action: Action, actuators: Iterable[Actuator]) -> Actuator | None:
    return next((actuator for actuator in actuators if actuator.handles(action)), None)
