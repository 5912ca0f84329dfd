"""A wave's actions at work: side by side, each waited for within its time, and none longer than it may be."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller.acting.actuator import Actuator, ActuatorError, HangError
from controller.actions import GIVEN_UP, STOPPED, Action, Outcome, Unload, Wave, seat_of
from controller.clocks import Clock
from controller.decision import Decision
from controller.fleet import Seat
from controller.loop.catalogue import evidence_ended
from controller.loop.stopping import StoppedError, Stopping
from policy.findings import Finding
from policy.resolved import Policy

AtWork = asyncio.Task[Outcome | None]
"""Gives nothing where the action was not begun, as the controller is to end, or those before it were given up."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What actions are done with: the actuators, how many at once at a site, and how long one may take at most.

    An unload that is asked of a server although that hangs is given `hanging` alone.
    """

    actuators: tuple[Actuator, ...]
    at_once: int = 4
    deadline: timedelta = timedelta(seconds=90)
    hanging: timedelta = timedelta(seconds=10)


def begun(
    decision: Decision, wave: Wave, policy: Policy, hands: Hands, *, clock: Clock, stopping: Stopping
) -> list[AtWork]:
    """The wave's actions, each a task that gives what came of it; cancelled, that it was given up, if it was begun."""
    sites = {pool.name: pool.site for pool in policy.pools}
    free: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(hands.at_once))
    hanging: Counter[str] = Counter()

    async def one(action: Action) -> Outcome | None:
        site, started, acting = sites.get(_pool_of(action), ""), clock(), False
        try:
            async with free[site]:
                if stopping.is_told:
                    return None
                started, acting = clock(), True
                trouble = _not_begun(decision, started, hanging[site], hands)
                if trouble is None:
                    trouble = await _act(decision, action, policy, hands)
                hanging[site] += trouble.hung is not None
        except asyncio.CancelledError:
            if not acting:
                return None
            trouble = _Trouble(STOPPED if stopping.is_over else GIVEN_UP)
        return Outcome(decision.id, wave.name, action, started, clock(), trouble.told, trouble.hung)

    return [asyncio.create_task(one(action)) for action in wave.actions]


async def waited_for(
    tasks: Collection[AtWork], every: timedelta, look: Callable[[], Awaitable[tuple[Finding, ...]]], stopping: Stopping
) -> tuple[Finding, ...]:
    """Wait for all of these, and look again and again meanwhile.

    Once that finds something, or who is to end has waited long enough, what is still under way is given up; what was
    found.
    """
    against: tuple[Finding, ...] = ()
    try:
        async with stopping.in_time():
            pending = set(tasks)
            while pending and not against:
                _, pending = await asyncio.wait(pending, timeout=every.total_seconds())
                against = await look() if pending else ()
    except StoppedError:
        against = ()
    await given_up(tasks)
    return against


async def given_up(tasks: Iterable[AtWork]) -> None:
    """Have these end at once."""
    under_way = [task for task in tasks if not task.done()]
    for task in under_way:
        task.cancel()
    if under_way:
        await asyncio.wait(under_way)


def ended_by(decision: Decision, at: datetime) -> tuple[Finding, ...]:
    """That evidence behind the decision has ended by then, if it has."""
    until = decision.valid_until
    return (evidence_ended(decision.id, until),) if until is not None and at >= until else ()


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What went wrong, empty where nothing did; and the seat whose server hangs, if that is why."""

    told: str = ""
    hung: Seat | None = None


def _not_begun(decision: Decision, at: datetime, hanging: int, hands: Hands) -> _Trouble | None:
    """Why an action is not begun that had to wait for others of its wave: evidence ended, or those before it hung.

    Were each waited for, a site whose servers all hang would hold a turn up for minutes.
    """
    ended = ended_by(decision, at)
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
    known = isinstance(action, Unload) and any(each.seat == seat and each.times for each in decision.state.hung)
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
