"""One decision: pure, without I/O or a clock. The loop, what-if, replay and tests all call this."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from collectors.snapshot import Snapshot
from controller.actions import SetLoad, Transition
from controller.decision import Decision, Forecast, Started, State, Verdict
from controller.fleet import Fleet, Load, fleet_of
from controller.performance import margin
from controller.performance.learn import prediction_errors
from controller.planning.beside import crowding
from controller.planning.build import Built, build
from controller.planning.choose import Choice, choose
from controller.planning.cut_off import without_own
from controller.planning.ending import ending, ends_of
from controller.planning.explaining.falling_short import Short, Told, told
from controller.planning.explaining.sacrifice import services_short
from controller.planning.held_back import waiting
from controller.planning.hung import hanging, paused
from controller.planning.kept import Kept
from controller.planning.known import known
from controller.planning.machines import of_before
from controller.planning.objective import links_per_hour, price_per_hour
from controller.planning.outlook import forecasts
from controller.planning.peaks import in_the_way
from controller.planning.preemption import fills_up
from controller.planning.reasons import reasons
from controller.planning.running import running_plan
from controller.planning.set_back import put_right, was_set_back
from controller.planning.stuck import beside_stuck
from controller.planning.unmatched import unmatched
from controller.planning.unremoved import unremoved
from controller.planning.unwelcome import unloading_first
from policy.findings import Finding
from policy.resolved import Policy
from policy.uncollected import uncollected
from rules.kernel.plan import Plan


def decide(policy: Policy, snapshot: Snapshot, state: State, now: datetime, kept: Kept | None = None) -> Decision:
    """What to do at `now`; the same arguments give the same decision, bit for bit, whatever was kept."""
    with uncollected():
        return _decided(policy, snapshot, state, now, kept)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What a turn chose, of what: the problem, what runs as a plan and as a fleet, and the choice."""

    built: Built
    running: Plan
    current: Fleet
    choice: Choice

    @property
    def rests(self) -> bool:
        """Whether the choice is what runs."""
        return self.choice.way is not None and not self.choice.way.waves

    @property
    def verdict(self) -> Verdict:
        return Verdict.IMPOSSIBLE if not self.choice.is_found else Verdict.KEEP if self.rests else Verdict.CHANGE


def _decided(policy: Policy, snapshot: Snapshot, state: State, now: datetime, kept: Kept | None) -> Decision:
    state = put_right(state, now)
    chosen = _chosen(policy, snapshot, state, now, kept)
    built, choice = chosen.built, chosen.choice
    short = Short(choice.plan, built, chosen.running)
    falls_short = told(short, state, unchanged=chosen.rests or choice.way is None)
    if kept is not None and state.left_open is not None:
        kept.left_open = short if falls_short.open else None
    outlook = forecasts(choice.plan, built.whole, built.speed, built.state.bursts)
    ends = ends_of(choice.plan, built.whole)
    after = _state_after(chosen, falls_short, outlook, state, now)
    return Decision(
        id=_decision_id(policy, snapshot, state, now),
        at=now,
        policy_revision=policy.revision,
        verdict=chosen.verdict,
        proof=choice.proof,
        plan=after.plan,
        fleet=after.fleet,
        transition=choice.way or Transition(),
        forecasts=outlook,
        errors=prediction_errors(state.forecasts, snapshot, now, timedelta(seconds=policy.scaling.stale_after_s)),
        reasons=reasons(choice.plan, built.whole),
        findings=(
            *snapshot.findings,
            *_of_plan(chosen, falls_short, ends, now),
            *_of_what_is_known(policy, snapshot, built, state, now),
        ),
        cost_millicents_per_hour=price_per_hour(choice.plan, built.whole),
        links_millicents_per_hour=links_per_hour(choice.plan, built.whole),
        valid_until=min(ends.values(), default=None),
        state=after,
    )


def _of_plan(chosen: _Chosen, falls_short: Told, ends: Mapping[str, datetime], now: datetime) -> tuple[Finding, ...]:
    """What is told of the demands and of the plan for them."""
    return (
        *chosen.built.asked.findings,
        *chosen.choice.findings,
        *falls_short.findings,
        *ending(ends, now),
        *unremoved(chosen.built.whole),
    )


def _of_what_is_known(
    policy: Policy, snapshot: Snapshot, built: Built, state: State, now: datetime
) -> tuple[Finding, ...]:
    """What is told of readings: what they lack or contradict, whatever the plan."""
    return (
        *unmatched(policy, snapshot),
        *of_before(snapshot),
        *waiting(known(policy, snapshot, now)[1]),
        *hanging(built.state.hung, now),
        *was_set_back(state),
        *margin.findings(built.state.margins),
    )


def _state_after(
    chosen: _Chosen, falls_short: Told, outlook: tuple[Forecast, ...], state: State, now: datetime
) -> State:
    """What to remember once the choice has been carried out."""
    built, choice = chosen.built, chosen.choice
    return State(
        plan=choice.plan,
        fleet=fleet_of(choice.plan, built.whole),
        started=_started(state.started, choice.way, chosen.current, now),
        rates=built.asked.rates,
        peaks=built.asked.peaks,
        learnt=built.state.learnt,
        margins=built.state.margins,
        bursts=built.state.bursts,
        interference=built.state.interference,
        crowding=crowding(built.state.crowding, choice.plan, built.whole, built.speed),
        forecasts=outlook if choice.is_found else state.forecasts,
        conflict=falls_short.answered,
        settled=choice.settled,
        rest_since=(state.rest_since or now) if chosen.rests else None,
        turn=state.turn + 1,
        silences=built.state.silences,
        asleep=built.state.asleep,
        hung=built.state.hung,
        set_back=state.set_back,
        left_open=None if state.left_open is None else falls_short.open,
    )


def _chosen(policy: Policy, snapshot: Snapshot, state: State, now: datetime, kept: Kept | None) -> _Chosen:
    """What a turn chooses: again without past peaks in the way."""
    built = build(policy, snapshot, state, now, kept)
    running = running_plan(built.whole, built.loaded, state)
    current = Fleet(_loads(built), without_own(state.fleet.routes, snapshot))
    choice = choose(built, running, current, state, now)
    past = in_the_way(built.asked.peaks, services_short(choice.plan, built.whole), built.whole, now)
    if past:
        state = replace(state, peaks=tuple(peak for peak in state.peaks if peak.service not in past))
        built = build(policy, snapshot, state, now, kept)
        running = running_plan(built.whole, built.loaded, state)
        choice = choose(built, running, current, state, now)
    if fills_up(choice.plan, built.problem, state):
        built = build(policy, snapshot, _foreseeing(state, choice.plan, built), now, kept)
        choice = choose(built, running, current, state, now)
    hung = built.state.hung
    choice = beside_stuck(choice, running, current, frozenset(snapshot.stuck), paused(hung, now))
    choice = unloading_first(choice, current, hung, now)
    return _Chosen(replace(built, whole=choice.whole), running, current, choice)


def _foreseeing(state: State, plan: Plan, built: Built) -> State:
    """The state with the company that instances will keep in a plan: what fills room up slows others down.

    They would have to give way to a service that does not preempt, for by then it would have what it took.
    """
    return replace(state, crowding=crowding(state.crowding, plan, built.whole, built.speed))


def _loads(built: Built) -> tuple[Load, ...]:
    return tuple(
        Load(placement, model.instances, model.max_batch, model.queue_delay_us, node)
        for (placement, node), model in sorted(built.loaded.items())
    )


def _started(before: tuple[Started, ...], way: Transition | None, current: Fleet, now: datetime) -> tuple[Started, ...]:
    latest = {item.placement: item.at for item in before}
    standing = {load.seat: load.instances for load in current.loads}
    for wave in way.waves if way else ():
        for action in wave.actions:
            if wave.name != "grow" or not isinstance(action, SetLoad):
                continue
            if standing.get(action.load.seat, 0) < action.load.instances:
                latest[action.load.placement] = now
    return tuple(Started(*item) for item in sorted(latest.items()))


def _decision_id(policy: Policy, snapshot: Snapshot, state: State, now: datetime) -> str:
    seed = f"{policy.revision} {state.turn} {now.isoformat()} {snapshot.at.isoformat()}"
    return hashlib.sha256(seed.encode()).hexdigest()[:16]
