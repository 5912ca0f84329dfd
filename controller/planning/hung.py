"""Seats whose servers hang: what is not tried again for a while, and what there is to tell of them.

Such a server takes a call and no answer comes. Each wait holds its turn up, so a seat that was waited for in vain has a
pause, which grows. What was asked for may come about all the same: servers are looked at before anything is planned.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from collectors.snapshot import LoadedModel, ModelState
from controller.actions import Action, Outcome, SetLoad, seat_of
from controller.decision import Hung
from controller.fleet import Load, Seat, seat_name
from policy.findings import Finding, Level
from policy.words import counted
from rules.kernel.problem import Node

PAUSE: Final = timedelta(minutes=2)
"""The first one; each is twice as long as the one before, up to `LONGEST`."""
LONGEST: Final = timedelta(minutes=30)
REMEMBERED: Final = timedelta(days=1)
"""What was not asked for so long is forgotten: no plan wants it any more."""
NOTHING: Final = "nothing"
AWAY: Final = "no answer"


def noted(before: Iterable[Hung], outcomes: Sequence[Outcome]) -> tuple[Hung, ...]:
    """What hangs after these outcomes: also what did before, but for what was done now.

    What a site tells of counts only where something was asked of it.
    """
    done = {seat_of(outcome.action) for outcome in outcomes if not outcome.error}
    known = {each.seat: each for each in before if each.seat not in done}
    asked = {seat: outcome.action for outcome in outcomes if (seat := seat_of(outcome.action)) is not None}
    waits: defaultdict[Seat, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.hung in asked:
            waits[outcome.hung].append(outcome)
    for seat, of_seat in waits.items():
        since, times = (last.since, last.times) if (last := known.get(seat)) else (of_seat[0].started, 0)
        at, most = max(each.ended for each in of_seat), last.instances if last else 0
        known[seat] = Hung(*seat, since, at, times + 1, _wanted(asked[seat]), instances=max(most, _many(asked[seat])))
    for outcome in outcomes:
        seat = seat_of(outcome.action)
        if seat is not None and outcome.result == "given_up" and (seat not in known or not known[seat].times):
            most = max(known[seat].instances if seat in known else 0, _many(outcome.action))
            wanted = _wanted(outcome.action)
            known[seat] = Hung(*seat, outcome.started, outcome.ended, 0, wanted, instances=most)
    return tuple(known[seat] for seat in sorted(known))


def _many(action: Action) -> int:
    return action.load.instances if isinstance(action, SetLoad) else 0


def _wanted(action: Action) -> str:
    return _words(action.load) if isinstance(action, SetLoad) else NOTHING


def looked_at(
    hung: Iterable[Hung], loaded: Mapping[Seat, LoadedModel], nodes: Iterable[Node], now: datetime
) -> tuple[Hung, ...]:
    """What hangs still, by what the servers of usable `nodes` hold now.

    One that shows what was asked for has done it.
    """
    servers = {(node.pool, node.name if node.own_server else "") for node in nodes}

    def shown(seat: Seat) -> str:
        if (seat[0].pool, seat[1]) not in servers:
            return AWAY
        model = loaded.get(seat)
        there = Load(seat[0], model.instances, model.max_batch, model.queue_delay_us, seat[1]) if model else None
        return _words(there) if there else NOTHING

    found = []
    for each in hung:
        seen = shown(each.seat)
        if seen == each.wanted or now - each.at > (REMEMBERED if each.times else PAUSE):
            continue
        changed = each.changed or each.shown not in {"", seen}
        found.append(replace(each, shown=seen, changed=changed))
    return tuple(found)


def paused(hung: Iterable[Hung], now: datetime) -> frozenset[Seat]:
    """The seats that are not tried again now."""
    return frozenset(each.seat for each in hung if each.times and now < _again(each))


def begun(
    hung: Iterable[Hung],
    loaded: Mapping[Seat, LoadedModel],
    moving: Collection[Seat],
    nodes: Iterable[Node],
    now: datetime,
) -> dict[Seat, LoadedModel]:
    """What was asked of servers of usable `nodes` and is not shown, so that it may be there or come, by seat.

    Of each the larger of both numbers, where that is not what is shown. Nothing comes any more once the pause is over
    where the server has none and is not `moving` any: it was started anew, or has given the call up.
    """
    servers = {(node.pool, node.name if node.own_server else "") for node in nodes}
    found = {}
    for each in hung:
        there = loaded[each.seat].instances if each.seat in loaded else 0
        if each.times and not there and each.seat not in moving and now >= _again(each):
            continue
        if each.instances > there and (each.placement.pool, each.node) in servers:
            placement = each.placement
            model = LoadedModel(placement.model, placement.variant, ModelState.LOADING, each.instances, 0, 0)
            found[each.seat] = model
    return found


def _again(hung: Hung) -> datetime:
    """When it is tried again: a server that shows something else than before may be another one by now."""
    grown = PAUSE if hung.changed else min(LONGEST, PAUSE * 2 ** min(hung.times - 1, 10))
    return hung.at + grown


def hanging(hung: Iterable[Hung], now: datetime) -> Iterator[Finding]:
    """What to tell of those that are not tried again now."""
    for each in hung:
        again, server = _again(each), f"of pool {each.placement.pool}"
        if now >= again or not each.times:
            continue
        server = f"of node {each.node} {server}" if each.node else server
        waits = f"{counted(each.times, 'time')} in a row since {each.since.isoformat(timespec='seconds')}"
        yield Finding(
            "GW2147",
            Level.WARNING,
            f"its server took a call and did not answer, {waits}: it was to show {each.wanted}, and shows "
            f"{each.shown}; nothing more is planned there before {again.isoformat(timespec='seconds')}, and all else "
            "goes on around it",
            f"see the log of the server {server}: its model repository may not answer, or its device; once it was "
            "started anew it is tried again sooner",
            subject=seat_name(each.seat),
        )


def _words(load: Load) -> str:
    return f"{counted(load.instances, 'instance')} with batches of {load.max_batch} after {load.queue_delay_us} us"
