"""One decision: pure, without I/O or a clock. The loop, what-if, replay and tests all call this."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from collectors.snapshot import Snapshot
from controller.actions import SetLoad, Transition
from controller.decision import Decision, Started, State, Verdict
from controller.fleet import Fleet, Load, fleet_of
from controller.performance import margin
from controller.performance.learn import prediction_errors
from controller.planning import report
from controller.planning.beside import crowding
from controller.planning.build import Built, build
from controller.planning.choose import Choice, choose
from controller.planning.cut_off import without_own
from controller.planning.falling_short import Short, told
from controller.planning.held_back import waiting
from controller.planning.hung import hanging, paused
from controller.planning.kept import Kept
from controller.planning.known import known
from controller.planning.machines import of_before
from controller.planning.objective import links_per_hour, price_per_hour
from controller.planning.outlook import forecasts
from controller.planning.peaks import in_the_way
from controller.planning.preemption import fills_up
from controller.planning.running import running_plan
from controller.planning.sacrifice import services_short
from controller.planning.set_back import put_right, was_set_back
from controller.planning.stuck import beside_stuck
from controller.planning.unmatched import unmatched
from controller.planning.unremoved import unremoved
from controller.planning.unwelcome import unloading_first
from policy.findings import Finding, Level
from policy.resolved import Policy
from policy.uncollected import uncollected
from rules.kernel.plan import Plan


def decide(policy: Policy, snapshot: Snapshot, state: State, now: datetime, kept: Kept | None = None) -> Decision:
    """What to do at `now`; the same arguments give the same decision, bit for bit, whatever was kept."""
    with uncollected():
        return _decided(policy, snapshot, state, now, kept)


def _decided(policy: Policy, snapshot: Snapshot, state: State, now: datetime, kept: Kept | None) -> Decision:
    state = put_right(state, now)
    built, running, current, choice = _chosen(policy, snapshot, state, now, kept)
    built = replace(built, whole=choice.whole)
    unchanged = choice.way is not None and not choice.way.waves
    verdict = Verdict.IMPOSSIBLE if not choice.is_found else Verdict.KEEP if unchanged else Verdict.CHANGE
    plan = choice.plan
    fleet = fleet_of(plan, built.whole)
    outlook = forecasts(plan, built.whole, built.speed, built.state.bursts)
    short = Short(plan, built, running)
    falls_short = told(short, state, unchanged=unchanged or choice.way is None)
    if kept is not None and state.left_open is not None:
        kept.left_open = short if falls_short.open else None
    ends = report.ends(plan, built.whole)
    findings = (
        *snapshot.findings,
        *built.asked.findings,
        *choice.findings,
        *falls_short.findings,
        *_ending(ends, now),
        *unremoved(built.whole),
        *unmatched(policy, snapshot),
        *of_before(snapshot),
        *waiting(known(policy, snapshot, now)[1]),
        *hanging(built.state.hung, now),
        *was_set_back(state),
        *margin.findings(built.state.margins),
    )
    stale_after = timedelta(seconds=policy.scaling.stale_after_s)
    return Decision(
        id=_decision_id(policy, snapshot, state, now),
        at=now,
        policy_revision=policy.revision,
        verdict=verdict,
        proof=choice.proof,
        plan=plan,
        fleet=fleet,
        transition=choice.way or Transition(),
        forecasts=outlook,
        errors=prediction_errors(state.forecasts, snapshot, now, stale_after),
        reasons=report.reasons(plan, built.whole),
        findings=findings,
        cost_millicents_per_hour=price_per_hour(plan, built.whole),
        links_millicents_per_hour=links_per_hour(plan, built.whole),
        valid_until=min(ends.values(), default=None),
        state=State(
            plan=plan,
            fleet=fleet,
            started=_started(state.started, choice.way, current, now),
            rates=built.asked.rates,
            peaks=built.asked.peaks,
            learnt=built.state.learnt,
            margins=built.state.margins,
            bursts=built.state.bursts,
            interference=built.state.interference,
            crowding=crowding(built.state.crowding, plan, built.whole, built.speed),
            forecasts=outlook if choice.is_found else state.forecasts,
            conflict=falls_short.answered,
            settled=choice.settled,
            rest_since=(state.rest_since or now) if unchanged else None,
            turn=state.turn + 1,
            silences=built.state.silences,
            asleep=built.state.asleep,
            hung=built.state.hung,
            set_back=state.set_back,
            left_open=None if state.left_open is None else falls_short.open,
        ),
    )


def _chosen(
    policy: Policy, snapshot: Snapshot, state: State, now: datetime, kept: Kept | None
) -> tuple[Built, Plan, Fleet, Choice]:
    """The problem, what runs, and what is chosen: again without past peaks in the way."""
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
    return built, running, current, unloading_first(choice, current, hung, now)


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


def _ending(ends: Mapping[str, datetime], now: datetime) -> tuple[Finding, ...]:
    until = report.soon(ends, now)
    if until is None:
        return ()
    return (
        Finding(
            "GW2014",
            Level.WARNING,
            f"evidence behind the plan ends, evidence against it begins, or maintenance does, at {until.isoformat()}; "
            "what that touches moves before",
            "renew the evidence where it ends, and make sure that other sites or variants that are allowed have room",
        ),
    )


def _decision_id(policy: Policy, snapshot: Snapshot, state: State, now: datetime) -> str:
    seed = f"{policy.revision} {state.turn} {now.isoformat()} {snapshot.at.isoformat()}"
    return hashlib.sha256(seed.encode()).hexdigest()[:16]
