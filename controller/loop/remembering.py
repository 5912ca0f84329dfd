"""What the loop remembers after a decision: only what was really brought about."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from controller.actions import GIVEN_UP, Action, Outcome, SetLoad, SetRoutes, Transition, Unload, is_aside
from controller.decision import Decision, State
from controller.fleet import Fleet
from controller.loop.followed import after
from controller.planning.hung import noted

SETTLING: Final = "shrink"
"""The wave that only removes what the plan no longer uses: once the waves before it are done, the plan is in force."""


def remembered(before: State, decision: Decision, outcomes: Sequence[Outcome]) -> State:
    """The state after these outcomes of the decision's transition.

    What was learnt (rates, service times, margins) always counts. The plan and its forecasts count once all that they
    need stands; loads, routes and starts count one by one. A service is asleep once no route leads to it, and stays so
    until one does: a wake-up that failed is tried again as one. Whether something was given up counts for one turn, and
    not at all where that was for the controller to end. Routes that could not be set may be followed all the same.
    """
    done = [outcome for outcome in outcomes if not outcome.error]
    hung = noted(decision.state.hung, outcomes)
    fleet = changed(before.fleet, (outcome.action for outcome in done))
    fleet = replace(fleet, routes=after(before.fleet.routes, outcomes))
    routed = {item.service for item in fleet.routes if item.ways}
    if len(done) == _count(decision.transition, settling=True):
        asleep = tuple(name for name in decision.state.asleep if name not in routed)
        return replace(decision.state, asleep=asleep, hung=hung)
    needed = [outcome for outcome in done if _needed(outcome.wave, outcome.action)]
    in_force = len(needed) == _count(decision.transition, settling=False)
    grown = {outcome.action.load.placement for outcome in done if isinstance(outcome.action, SetLoad)}
    return replace(
        decision.state,
        plan=decision.plan if in_force else before.plan,
        forecasts=decision.state.forecasts if in_force else before.forecasts,
        fleet=fleet,
        started=tuple(item for item in decision.state.started if item.placement in grown or item in before.started),
        asleep=tuple(sorted({*before.asleep, *decision.state.asleep} - routed)),
        hung=hung,
        is_late=any(outcome.error == GIVEN_UP for outcome in outcomes),
    )


def _count(transition: Transition, *, settling: bool) -> int:
    return sum(settling or _needed(wave.name, action) for wave in transition.waves for action in wave.actions)


def _needed(wave: str, action: Action) -> bool:
    """Whether a plan needs an action to be in force: all but unloads of what it does not use."""
    return wave != SETTLING and not is_aside(wave, action)


def changed(fleet: Fleet, actions: Iterable[Action]) -> Fleet:
    """The fleet after these actions."""
    loads = {load.seat: load for load in fleet.loads}
    routes = {(item.service, item.origin): item for item in fleet.routes}
    for action in actions:
        match action:
            case SetLoad(load):
                loads[load.seat] = load
            case Unload():
                loads.pop(action.seat, None)
            case SetRoutes(sets):
                routes.update({(item.service, item.origin): item for item in sets})
    return Fleet(tuple(sorted(loads.values())), tuple(sorted(routes.values())))
