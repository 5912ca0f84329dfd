"""What an agent makes of what happens: one pure function from a state, an event and an instant to a state and a wave.

It promises, whatever happens in whatever order: nothing is left loaded when its evidence ends; no load leaves its
envelope, but for want of room; a plan never gives way to an older one; and no server is given more than the site's own
limits.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from controller.actions import SetLoad, SetRoutes, Unload, Wave, seat_of
from controller.fleet import Seat
from controller.sites.agent.intent import Intent, Site, deviations, ground, intent_of, is_away, is_there, wanted
from controller.sites.agent.limits import server_of
from controller.sites.agent.scaling import Choice, scaled
from controller.sites.agent.state import (
    AgentState,
    Answered,
    Event,
    Failed,
    Failure,
    Heard,
    Looked,
    Missed,
    Remote,
    Told,
    Unread,
)
from controller.sites.agent.waves import Standing, next_wave
from controller.sites.report import Cause, Deviation, Phase, Refused
from controller.sites.site_plan import SiteLoad, SitePlan

SILENCE: Final = timedelta(seconds=15)
"""A hub that did not answer for so long is out of reach."""
AGAIN: Final = timedelta(seconds=20)
"""What could not be done is tried again after this; what is to be withdrawn after `AGAIN_URGENT`."""
AGAIN_URGENT: Final = timedelta(seconds=2)
REMEMBERED: Final = timedelta(days=1)
"""So long after its evidence has ended a load that is planned no more, and is not there, is remembered."""
BACK_AFTER: Final = timedelta(seconds=30)
"""For so long another site's pool has to answer again before requests go to it."""


def step(site: Site, state: AgentState, event: Event, now: datetime) -> tuple[AgentState, Wave | None]:
    """What the event makes of the state, and what is to be done now. Only a look at the site leads to a wave."""
    if isinstance(event, Heard):
        return _heard(state, event, now), None
    now = max(now, state.latest)
    state = replace(state, latest=now)
    match event:
        case Missed():
            return _missed(state), None
        case Told():
            return _told(state, event), None
        case Failed():
            return _failed(state, event), None
        case Answered():
            return _answered(state, event), None
        case Looked():
            return _looked(site, state, event)
        case _:
            assert_never(event)


def _heard(state: AgentState, event: Heard, now: datetime) -> AgentState:
    """The hub is there again, or still. A newer plan is taken up at once.

    Only such a plan may set time back, to no earlier than it was signed: a clock that ran ahead is put right so.
    """
    phase = Phase.RECONCILING if state.phase is Phase.CUT_OFF else state.phase
    state = replace(state, heard_at=max(now, state.latest), latest=max(now, state.latest), phase=phase)
    if event.refused is not None:
        return replace(state, refused=event.refused)
    plan = event.plan
    if plan is None or plan.generation <= state.generation:
        return state
    told = state.phase is Phase.CONNECTED
    now = max(now, plan.issued_at)
    return replace(
        state,
        heard_at=now,
        latest=now,
        plan=plan,
        former=_former(state, plan),
        choices=() if told else _carried_over(state, plan),
        remotes=() if told else state.remotes,
        failures=(),
        unread=tuple(replace(each, at=min(each.at, now)) for each in state.unread),
        refused=None,
    )


def _former(state: AgentState, plan: SitePlan) -> tuple[SiteLoad, ...]:
    """Loads that a plan before had and this one has not: what they take, and whether evidence stood behind them."""
    named = {item.load.seat for item in plan.loads}
    before = {item.load.seat: item for item in (*state.former, *(state.plan.loads if state.plan else ()))}
    return tuple(item for seat, item in sorted(before.items()) if seat not in named)


def _carried_over(state: AgentState, plan: SitePlan) -> tuple[Choice, ...]:
    """What was added while cut off stays until a plan comes that was made knowing of it, or it would only flap."""
    planned = {item.load.seat: item.load.instances for item in (state.plan.loads if state.plan else ())}
    added = {choice.seat: choice for choice in state.choices if choice.instances > planned.get(choice.seat, 0)}
    return tuple(
        replace(added[seat], instances=item.envelope.bounded(max(added[seat].instances, item.load.instances)))
        for item in plan.loads
        if (seat := item.load.seat) in added
    )


def _missed(state: AgentState) -> AgentState:
    if state.phase is Phase.CUT_OFF or state.latest - state.heard_at < SILENCE:
        return state
    return replace(state, phase=Phase.CUT_OFF, cut_off_since=state.heard_at)


def _told(state: AgentState, event: Told) -> AgentState:
    """A report came through. Once one has that the site reconciles, it is connected, and tells so once more."""
    state = replace(state, heard_at=state.latest)
    if state.phase is Phase.CUT_OFF:
        return replace(state, phase=Phase.RECONCILING)
    if event.phase is not state.phase:
        return state
    if state.phase is Phase.RECONCILING:
        return replace(state, phase=Phase.CONNECTED)
    return replace(state, cut_off_since=None)


def _failed(state: AgentState, event: Failed) -> AgentState:
    until = state.latest + (AGAIN_URGENT if event.urgent and not event.blind else AGAIN)
    others = tuple(each for each in state.failures if each.seat != event.seat)
    state = replace(state, failures=(*others, Failure(until, event.trouble, event.seat, event.blind, event.urgent)))
    hung = event.seat if event.hung else None
    if event.blind:
        return state
    known = state.refused.seats if state.refused and state.refused.generation == state.generation else ()
    seats = (*(seat for seat in known if seat != event.seat), event.seat)
    return replace(state, refused=Refused(state.generation, event.trouble, hung, seats))


def _answered(state: AgentState, event: Answered) -> AgentState:
    """What was begun there before is over, too. Only what is read from now on tells what came of it."""
    unread = (
        replace(each, at=state.latest, answered=True) if each.seat == event.seat else each for each in state.unread
    )
    return replace(state, unread=tuple(unread))


def _looked(site: Site, state: AgentState, event: Looked) -> tuple[AgentState, Wave | None]:
    standing, now = event.standing, state.latest
    unread = tuple(each for each in state.unread if not _is_over(each, standing))
    state = replace(state, unread=unread)
    seats = {each.seat for each in unread}
    standing = replace(standing, unread={seat: most for seat, most in state.begun if seat in seats})
    state = replace(
        state,
        failures=tuple(each for each in state.failures if each.until > now and not _is_seen(each, standing)),
        former=tuple(item for item in state.former if _may_be_there(item, standing, now)),
        remotes=_remotes(state, event.remote_silent),
        begun=tuple(each for each in state.begun if _may_go_on(each[0], standing)),
    )
    plan = state.plan
    if plan is None:
        return state, None  # what runs was put there by somebody else: it stays until a plan says otherwise
    if state.phase is Phase.CUT_OFF:
        state = replace(state, choices=_choices(state, plan, event))
    intent = intent_of(site, state, plan, standing, now)
    wave = next_wave(standing, wanted(state, plan, standing, intent, now), ground(site, state, plan))
    return (_settled(state, plan, event, intent) if wave is None else _begun(state, wave, standing)), wave


def _begun(state: AgentState, wave: Wave, standing: Standing) -> AgentState:
    """What servers have, or are to have, of what the wave begins: how much that is they do not tell meanwhile."""
    found, unread = dict(state.begun), {each.seat: each for each in state.unread}
    for action in wave.actions:
        if isinstance(action, SetRoutes):
            continue
        seat = action.load.seat if isinstance(action, SetLoad) else action.seat
        there = standing.loads[seat].instances if seat in standing.loads else 0
        asked = action.load.instances if isinstance(action, SetLoad) else 0
        if there or asked:
            found[seat] = max(there, asked, found.get(seat, 0))
            unread[seat] = _unread(action, unread.get(seat), standing, state.latest)
    return replace(state, begun=tuple(sorted(found.items())), unread=tuple(sorted(unread.values())))


def _unread(action: SetLoad | Unload, before: Unread | None, standing: Standing, now: datetime) -> Unread:
    """What is begun on a seat, beside what was before that no reading has told of yet."""
    if isinstance(action, Unload):
        return Unread(action.seat, now)
    load = action.load
    is_told = standing.loads.get(load.seat) != load and (before is None or before.asked == load)
    return Unread(load.seat, now, load if is_told else None)


def _is_over(each: Unread, standing: Standing) -> bool:
    """Whether a server has told what became of what was begun on a seat, and that it is over."""
    seat, server = each.seat, server_of(each.seat)
    if _may_go_on(seat, standing) or standing.read_at.get(server, each.at) < each.at:
        return False
    there = standing.loads.get(seat)
    return each.answered or there is None or there == each.asked


def _may_go_on(seat: Seat, standing: Standing) -> bool:
    """Whether something that was begun on a seat may not have ended."""
    if seat in standing.moving or seat in standing.unread or server_of(seat) in standing.silent:
        return True
    return any(seat_of(action) == seat for action in standing.under_way)


def _is_seen(failure: Failure, standing: Standing) -> bool:
    """Whether a server tells again what became of something that was done blindly."""
    return failure.blind and failure.seat is not None and server_of(failure.seat) not in standing.silent


def _may_be_there(item: SiteLoad, standing: Standing, now: datetime) -> bool:
    """Whether a load of a plan before is there, or may come: a server that was told to load it may still be at that."""
    return standing.may_have(item.load.seat) or (item.until is not None and now < item.until + REMEMBERED)


def _choices(state: AgentState, plan: SitePlan, event: Looked) -> tuple[Choice, ...]:
    known = {choice.seat: choice for choice in state.choices}
    signals = {signal.seat: signal for signal in event.signals}
    found = []
    for item in plan.loads:
        seat = item.load.seat
        before = known.get(seat, Choice(seat, item.load.instances))
        found.append(scaled(item, before, signals[seat], state.latest) if seat in signals else before)
    return tuple(found)


def _remotes(state: AgentState, silent: frozenset[str]) -> tuple[Remote, ...]:
    """Which pools of other sites are silent, and since when. New ones are for the hub to find, while it is there."""
    now, before = state.latest, {item.pool: item for item in state.remotes}
    heeded = silent if state.phase is Phase.CUT_OFF else silent & before.keys()
    found = [replace(before.get(pool, Remote(pool, now)), answering_since=None) for pool in heeded]
    for pool in before.keys() - silent:
        item = replace(before[pool], answering_since=before[pool].answering_since or now)
        if is_away(item, now) and now - (item.answering_since or now) < BACK_AFTER:
            found.append(item)
    return tuple(sorted(found, key=lambda item: item.pool))


def _settled(state: AgentState, plan: SitePlan, event: Looked, intent: Intent) -> AgentState:
    """Nothing is left to do now: the plan has been brought about, or something of it has no room."""
    lacking = [item for item in deviations(plan, state, intent, state.latest) if item.cause is Cause.NO_ROOM]
    if lacking:
        return replace(state, refused=Refused(plan.generation, _no_room(lacking)))
    silent = event.standing.silent
    if any(server_of(each.seat) not in silent for each in state.unread):
        return state
    if any(not each.blind for each in state.failures) or not is_there(event.standing, intent):
        return state
    return replace(state, applied=plan.generation, refused=None)


def _no_room(lacking: Iterable[Deviation]) -> str:
    told = (f"{item.placement} has {item.chosen} of {item.planned} instances" for item in lacking)
    return f"over the limits of this site's servers: {', '.join(told)}"
