"""A clock that is put right: what is remembered of instants that are still to come counts as of now.

So does what a clock showed that was not set yet: a peak of a minute ago would else pass for one of half a century ago.

Otherwise a peak would be kept, and nothing be taken down, until the clock is there again. Evidence needs nothing of the
kind: it is read anew for each decision, and judged by the clock as it is then.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from controller.clocks import SET_FROM
from controller.decision import SetBack, State
from policy.findings import Finding, Level
from policy.words import counted

TOLD: Final = timedelta(minutes=1)
"""By less than this a clock is adjusted all the time."""
TOLD_FOR: Final = timedelta(hours=1)


def put_right(state: State, now: datetime) -> State:
    """The state without an instant that is wrong by `now`; when a clock was set back, for as long as that is told."""
    ahead = max(_instants(state), default=now) - now
    before = state.set_back if state.set_back and timedelta() <= now - state.set_back.at < TOLD_FOR else None
    if not any(at != _counted(at, now) for at in _instants(state)):
        return replace(state, set_back=before)
    return replace(
        state,
        started=tuple(replace(item, at=_counted(item.at, now)) for item in state.started),
        rates=tuple(replace(item, at=_counted(item.at, now)) for item in state.rates),
        peaks=tuple(replace(item, at=_counted(item.at, now)) for item in state.peaks),
        silences=tuple(
            replace(item, since=_counted(item.since, now), until=_counted(item.until, now)) for item in state.silences
        ),
        hung=tuple(replace(item, since=_counted(item.since, now), at=_counted(item.at, now)) for item in state.hung),
        rest_since=_counted(state.rest_since, now) if state.rest_since else None,
        set_back=SetBack(now, int(ahead.total_seconds())) if ahead >= TOLD else before,
    )


def _counted(at: datetime, now: datetime) -> datetime:
    """The instant, or now where it is still to come, or where its clock was not set yet and is by now."""
    return now if at > now or at < SET_FROM <= now else at


def _instants(state: State) -> Iterator[datetime]:
    for items in (state.started, state.rates, state.peaks, state.hung):
        yield from (item.at for item in items)
    for silence in state.silences:
        yield from (silence.since, silence.until)
    yield from (item.since for item in state.hung)
    yield from (state.rest_since,) if state.rest_since else ()


def was_set_back(state: State) -> Iterator[Finding]:
    """What to tell of a clock that was set back."""
    if state.set_back is not None:
        at, by = state.set_back.at.isoformat(timespec="seconds"), _span(state.set_back.by_s)
        yield Finding(
            "GW2148",
            Level.WARNING,
            f"the clock was set back by about {by}, to {at}: what is remembered of later instants counts as of that "
            "one, and evidence is judged by the clock as it is now",
            "see whether the clock is right (NTP), and what was withdrawn while it was not; where sites have agents, "
            "start the controller anew: for them it goes on from the latest instant there was",
            subject="clock",
        )


def _span(seconds: int) -> str:
    for unit, length_s in (("day", 86_400), ("hour", 3_600)):
        if seconds >= 2 * length_s:
            return counted(seconds // length_s, unit)
    return counted(seconds // 60, "minute")
