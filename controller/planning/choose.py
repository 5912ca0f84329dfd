"""Choosing the plan to go for: the cheapest that is verified, pays for its moves and can be reached safely."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from controller.actions import Transition
from controller.decision import Proof, State
from controller.fleet import Fleet, Seat
from controller.planning.build import Built, write
from controller.planning.cheapest import Best, soonest
from controller.planning.guards import as_it_runs, floors, no_more
from controller.planning.hung import paused
from controller.planning.objective import cost_of, prices
from controller.planning.preemption import Acquired, judging, never_preempting, without_giving, without_taking
from controller.planning.remaining import remaining
from controller.planning.transitions.around import around
from controller.planning.transitions.bridges import bridged
from controller.planning.transitions.transition import Reached, nearest_reached, step_reached, transition
from controller.planning.unmoved import OF_NODES, beside, nodes_of
from controller.planning.verify import explained, verify
from controller.planning.whole.rounds import MORE_GIVEN_UP
from controller.planning.whole.size import is_small
from policy.findings import Finding, Level
from rules.kernel.formulation import Row
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem


@dataclass(frozen=True, slots=True)
class Choice:
    """The plan to go for with its proof, the way to it, and what to say of how it was found.

    `whole` knows every path of the plan, also one that only a transition goes over, and all that a part of the plan is
    judged by: what guards keep, and what services are assured of.
    `settled` is the digest of the question when the answer is what runs, else empty; `question` that of any that is
    answered. Where nothing `is_found`, the plan is what may stay of what runs.
    """

    plan: Plan
    proof: Proof
    way: Transition | None
    whole: Problem
    settled: str = ""
    findings: tuple[Finding, ...] = ()
    is_found: bool = True
    question: str = ""


def choose(built: Built, running: Plan, current: Fleet, state: State, now: datetime) -> Choice:
    """The best that can be done now beside what stands on seats whose servers hang, as far as there is such a plan."""
    limits = tuple(beside(built.problem, running, paused(built.state.hung, now)))
    choice = _chosen(built, running, current, state, now, limits=limits)
    return choice if choice.is_found or not limits else _chosen(built, running, current, state, now)


def _chosen(
    built: Built, running: Plan, current: Fleet, state: State, now: datetime, *, limits: tuple[Row, ...] = ()
) -> Choice:
    """The best that can be done now. Guards give way where they alone would keep a service from being served.

    A problem that was solved before, with what runs as its best plan, is not solved again: proven, or found by the
    engine for large fleets, which counts its work and would find the same. Where gateways follow other routes than that
    plan's, something else runs.
    """
    guarded = guarded_problem(built, state, now)
    acquired = Acquired.of(built.problem, state)
    question = _question(guarded, built, acquired, limits)
    is_asked_again = state.settled == question and state.plan == running and state.proposal is None
    if is_asked_again and not _newly_broken(running, guarded, paused(built.state.hung, now)):
        # Beside what hangs it may be all that could be reached of a better one.
        proof = Proof.OPTIMAL if is_small(guarded) and not limits else Proof.FEASIBLE
        way = transition(built.whole, running, current, running)
        return Choice(running, proof, way, built.whole, question, question=question)
    doubts: tuple[Finding, ...] = ()
    aims: list[tuple[Problem, Plan]] = []
    for problem, best in _candidates(built, guarded, running, acquired, state.proposal, limits=limits):
        plan = soonest(best, problem, running)
        judged = judging(plan, problem, acquired)
        broken = verify(plan, judged)
        if broken:
            doubts = (*doubts, *explained(broken))
            continue
        whole = bridged(built, judged, running, plan)
        if problem.floors == guarded.floors:
            aims.append((whole, plan))
        way = transition(whole, running, current, plan)
        if way is not None:
            final = best.proof is Proof.OPTIMAL or not is_small(problem)
            settled = plan == running and final and not doubts
            asked = question if settled else ""
            return Choice(plan, best.proof, way, whole, asked, doubts, question=question)
        doubts = (*doubts, _no_safe_order())
        near = _near(problem, whole, running, current, plan)
        if near is not None:
            return Choice(near.plan, Proof.FEASIBLE, near.way, whole, "", doubts)
        if not is_small(problem) and verify(running, problem):
            knowing = partial(bridged, built, judged, running)
            other = around(judged, whole, running, current, plan, knowing=knowing, limits=limits)
            if other is not None:
                return Choice(other.plan, Proof.FEASIBLE, other.way, other.whole, "", doubts)
    return _step(aims, running, current, doubts) or _stay(built, running, current, doubts)


def _newly_broken(running: Plan, guarded: Problem, seats: frozenset[Seat]) -> bool:
    """Whether what runs breaks a rule, but for what is too much on nodes of these seats: there it stays."""
    here = nodes_of(guarded, seats)
    return any(each.rule not in OF_NODES or each.subject not in here for each in verify(running, guarded))


def guarded_problem(built: Built, state: State, now: datetime) -> Problem:
    """The problem in which no placement falls below what its guards keep for now."""
    return replace(built.problem, floors=floors(built.problem, state.started, built.asked.held, now))


def _near(problem: Problem, whole: Problem, running: Plan, current: Fleet, target: Plan) -> Reached | None:
    """The way to a part of the target that is worth going, or to all of it at the price of what only settles.

    Where what runs is a plan of the problem, a part has to be cheaper, and no promise gives way on the way.
    """
    near = nearest_reached(whole, running, current, target)
    if not verify(running, problem):
        form = write(problem)
        form.rows.append(prices(problem, running))
        return near if near is not None and cost_of(near.plan, form) < cost_of(running, form) else None
    if near is not None:
        return near
    way = transition(whole, running, current, target, kept=False)
    return Reached(target, way) if way is not None else None


def _step(
    aims: Iterable[tuple[Problem, Plan]], running: Plan, current: Fleet, doubts: tuple[Finding, ...]
) -> Choice | None:
    """A step towards one of these plans, the first that is reached, where what runs breaks rules that it keeps."""
    for whole, plan in aims:
        step = step_reached(whole, running, current, plan) if verify(running, whole) else None
        if step is not None:
            doubts = (*doubts, *explained(verify(step.plan, whole)))
            return Choice(step.plan, Proof.UNDECIDED, step.way, whole, "", doubts)
    return None


def _question(guarded: Problem, built: Built, acquired: Acquired, limits: tuple[Row, ...]) -> str:
    """A digest of all that the best plan depends on, but not of the time."""
    parts = (
        guarded.policy.revision,
        guarded.demands,
        guarded.nodes,
        guarded.running,
        guarded.floors,
        [(item.model, item.variant, item.device, item.used_us) for item in built.state.learnt],
        sorted(built.speed.slowdowns.items()),
        [(item.service, item.origin, item.used_permille) for item in built.state.margins],
        [(b.service, b.origin, b.used_depth_permille, b.used_sojourn_us) for b in built.state.bursts],
        [path.id for path in guarded.paths],
        *((sorted(acquired.served_permille.items()),) if never_preempting(guarded.policy) else ()),
        *((limits,) if limits else ()),
        *((guarded.begun,) if guarded.begun else ()),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _candidates(
    built: Built,
    guarded: Problem,
    running: Plan,
    acquired: Acquired,
    proposal: Plan | None,
    *,
    limits: tuple[Row, ...],
) -> Iterator[tuple[Problem, Best]]:
    """Plans to try, the most wanted first: within the guards, without them, one that only grows, one that only shrinks.

    Of a plan that gives services which do not preempt what they lack, all that can be reached may be parts that others
    would have to make room for. So the next one gives them nothing.

    The last two leave what runs where it is, so they can be reached when a full node leaves no room to change places.
    They keep the guards as well, where any plan does. A large fleet only stays so, where it may: else a step towards
    the first serves more, and is found sooner.
    """
    kept, within = without_taking(guarded, running, acquired, limits=limits, proposal=proposal)
    if guarded.floors and (within is None or _may_be_the_guards(within, guarded)):
        unguarded, free = without_taking(built.problem, running, acquired, limits=limits, below=within)
        if free is not None and (within is None or free.shortfall < within.shortfall):
            yield unguarded, free
    if within is not None:
        yield kept, within
        alone = without_giving(guarded, running, acquired, within.plan, limits=limits)
        if alone is not None:
            yield guarded, alone
    growing = replace(built.problem, floors=as_it_runs(built.problem))
    if is_small(growing) or not verify(running, growing):
        growing, larger = without_taking(growing, running, acquired, limits=limits)
        if larger is not None:
            yield growing, larger
    if not is_small(built.problem):
        return
    shrinking = _as_it_is_set(built.problem if within is None else guarded, running)
    shrinking, smaller = without_taking(shrinking, running, acquired, limits=(*no_more(shrinking), *limits))
    if smaller is not None:
        yield shrinking, smaller


def _may_be_the_guards(within: Best, guarded: Problem) -> bool:
    """Whether guards may be what keeps a service from being served.

    A large fleet that gives up hardly more than it did was asked so when it came to that.
    """
    return within.shortfall > (0 if is_small(guarded) else MORE_GIVEN_UP * within.gave_up)


def _as_it_is_set(problem: Problem, running: Plan) -> Problem:
    """The problem with the placements and the batching that run, and no others."""
    used = running.used_options()
    settings = {(o.placement, o.max_batch, o.queue_delay_us) for o in problem.options if o.id in used}
    options = tuple(o for o in problem.options if (o.placement, o.max_batch, o.queue_delay_us) in settings)
    names = {option.id for option in options}
    return replace(problem, options=options, paths=tuple(p for p in problem.paths if names.issuperset(p.options)))


def _stay(built: Built, running: Plan, current: Fleet, doubts: tuple[Finding, ...]) -> Choice:
    """Nothing better is known: what runs stays, less what may not serve and what may not stand."""
    left = remaining(built.whole, running, current)
    finding = Finding(
        "GW2012",
        Level.ERROR,
        "no plan that keeps every rule was found; what runs stays, as far as it is allowed",
        "the finding GW2011, where present, names the clauses that cannot all hold",
    )
    if left is None or not left.way.waves:
        return Choice(running, Proof.UNDECIDED, None, built.whole, "", (*doubts, finding), is_found=False)
    return Choice(left.plan, Proof.UNDECIDED, left.way, built.whole, "", (*doubts, finding), is_found=False)


def _no_safe_order() -> Finding:
    return Finding(
        "GW2013",
        Level.INFO,
        "the cheapest plan cannot be reached without breaking a rule on the way; the nearest that can was taken",
        "nothing to do: later turns go on from there",
    )
