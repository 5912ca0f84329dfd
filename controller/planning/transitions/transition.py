"""The safe way from what runs to a plan: make before break, and no moment in between breaks a hard rule.

First, *withdraw* takes routes off what may no longer serve or no longer answers. Then come as few rounds as it takes of
*free* (what nothing needs now leaves full nodes), *grow* (what is missing is loaded, beside what runs) and *route*; at
the end *shrink* removes what is left over. The moments between the waves are plans like any other, and the verifier
judges each of them.

Where each node has a server of its own, gateways part the requests of a placement over its nodes. Before instances go,
a *route* takes requests off them, though no demand may take another way.

Latency, unit and allocated cost, stages that stay together, spares, room for what another site serves, device share and
upper bounds of replicas are promises of the settled fleet: an instance that gets no requests yet, or no more, takes
memory but no compute.
Availability, budget, capacity and the floors of the scaling policy hold on the way as well, as far as they held when it
began; they give way only where no other plan could be reached.
"""

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from controller.actions import WITHDRAW, Action, SetLoad, SetRoutes, Transition, Unload, Wave
from controller.fleet import Fleet, Load, Parts, RouteSet, Seat
from controller.planning.preemption import takes
from controller.planning.transitions.between import Between
from controller.planning.transitions.duration import over_s, wave_us
from controller.planning.transitions.ground import Ground
from controller.planning.transitions.parts import part_by_part
from controller.planning.transitions.walk import Walk, settled, walk
from controller.planning.transitions.withdraw import withdraw, without_idle
from controller.planning.verify import Moment, introduced, verify
from rules.kernel.latest import Latest
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation
from rules.preemption import Preemption

LONGER: Final = 3
"""So often a way is looked for anew because it takes longer than what it was looked for with."""
REFUSING: Final = frozenset({"degrade", "capacity"})
"""What withdrawing may break, and only it: what nothing else may serve is refused, and what is left serves the rest."""
REMOVING: Final = frozenset({"free", "shrink"})
"""The waves that take instances away: requests leave their nodes first."""
SETTLED: Final = frozenset(
    {
        "allocated_cost",
        "device_share",
        "gathering",
        "latency",
        "preemption",
        "replica_bounds",
        "spares",
        "standing",
        "survival",
        "together",
        "unit_cost",
        "wake_up",
    }
)
"""The rules that no moment in between is judged by."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A plan with the way to it."""

    plan: Plan
    way: Transition


@dataclass(frozen=True, slots=True)
class DeadEnd:
    """What may stay of what runs, what a walk came to from there, and the nodes where something is still to come."""

    allowed: Plan
    plan: Plan
    nodes: frozenset[str]


class Walks:
    """The ground of a problem, and the walks on it: where there is no safe order, the same one is asked for again."""

    def __init__(self, whole: Problem) -> None:
        self.ground = Ground(whole)
        self._found: list[tuple[tuple[Between, Between, bool], Walk]] = []

    def walk(self, start: Between, goal: Between, *, kept: bool) -> Walk:
        """The walk between two moments, as it was found before."""
        asked = start, goal, kept
        for known, found in self._found:
            if known == asked:
                return found
        found = walk(self.ground, start, goal, kept=kept)
        self._found.append((asked, found))
        return found


_walks: Final = Latest(Walks)


def transition(
    whole: Problem,
    running: Plan,
    current: Fleet,
    target: Plan,
    *,
    kept: bool = True,
    barred: frozenset[str] = frozenset(),
) -> Transition | None:
    """The waves from `running` (as `current` on the real parts) to `target`; None when there is no safe order.

    Where the target is what runs, it stays as far as it is allowed: nothing goes back to what withdrawing left, and no
    idle instance stays of the options that are `barred`.
    Without `kept`, only the rules that hold always are kept on the way.
    """
    walks = _walks(whole)
    ground = walks.ground
    passing, withdrawn = whole, None
    duration_us = 0
    for _ in range(LONGER):
        passing = replace(whole, needed_until_s=over_s(whole, duration_us))
        allowed = withdraw(running, passing, current)
        if allowed == withdrawn:
            break
        withdrawn, start = allowed, ground.between(allowed)
        goal = without_idle(allowed, whole, barred) if target == running else target
        way = walks.walk(start, ground.between(goal), kept=kept)
        if not way.whole:
            return None
        found = _transition(ground, current, way)
        duration_us = found.duration_us
    return found if _safe(_plans(ground, way), allowed, running, passing, kept=kept) else None


def nearest_reached(whole: Problem, running: Plan, current: Fleet, target: Plan) -> Reached | None:
    """The largest part of the target that a safe order leads to and that is a plan by itself; None without any.

    What is blocked stays as it runs. First what the walk to the target had come to is tried, then the target's
    independent changes one after the other.
    """
    walks = _walks(whole)
    ground = walks.ground
    start, goal = ground.between(running), ground.between(target)
    walked = walks.walk(start, goal, kept=True)
    for moment in (settled(ground, walked), part_by_part(ground, start, goal)):
        plan = ground.plan(moment)
        if plan is None or plan == ground.plan(start) or _is_no_plan(plan, running, whole):
            continue
        way = transition(whole, running, current, plan)
        if way is not None:
            return Reached(plan, way)
    return None


def dead_end(whole: Problem, running: Plan, current: Fleet, target: Plan) -> DeadEnd | None:
    """Where a walk to the target ends that does not get there; None where no options are known for that."""
    walks = _walks(whole)
    ground = walks.ground
    allowed = withdraw(running, whole, current)
    walked = walks.walk(ground.between(allowed), ground.between(target), kept=True)
    plan = ground.plan(settled(ground, walked))
    return None if plan is None else DeadEnd(allowed, plan, walked.blocked)


def step_reached(whole: Problem, running: Plan, current: Fleet, target: Plan) -> Reached | None:
    """What a walk to the target comes to where it breaks less than what runs, though it is no plan yet.

    Of the rules that hold always it breaks none anew, beside what runs less what may not serve. Others give way, for it
    is asked for where no other plan can be reached.
    """
    end = dead_end(whole, running, current, target)
    if end is None:
        return None
    plan = end.plan
    if introduced(_broken(plan, whole, kept=False), _broken(end.allowed, whole, kept=False)):
        return None
    if takes(plan, running, whole) or len(verify(plan, whole)) >= len(verify(running, whole)):
        return None
    way = transition(whole, running, current, plan)
    return None if way is None else Reached(plan, way)


def _is_no_plan(part: Plan, running: Plan, whole: Problem) -> bool:
    """Whether a part of a plan breaks a rule by itself. Who has less than is assured may have that as it is."""
    return takes(part, running, whole) or bool(verify(part, whole, apart=frozenset((Preemption.id,))))


def _plans(ground: Ground, way: Walk) -> list[Plan | None]:
    """The moments on the way as plans; the last is the target, which was judged as a settled plan."""
    return [ground.plan(moment) for _, moment in way.moments[:-1]]


def _safe(plans: Iterable[Plan | None], withdrawn: Plan, running: Plan, passing: Problem, *, kept: bool) -> bool:
    before = _broken(withdrawn, passing, kept=kept)
    found = () if withdrawn == running else introduced(before, _broken(running, passing, kept=kept))
    if any(violation.rule not in REFUSING for violation in found):
        return False
    return not any(plan is None or introduced(_broken(plan, passing, kept=kept), before) for plan in plans)


def _broken(plan: Plan, passing: Problem, *, kept: bool) -> tuple[Violation, ...]:
    """What a moment breaks. Too little capacity is that of a placement, whatever its setting is just then."""
    moment = Moment.SETTLED if kept else Moment.PASSING
    return tuple(
        replace(item, subject=str(passing.option(item.subject).placement)) if item.rule == "capacity" else item
        for item in verify(plan, passing, moment, SETTLED)
    )


def _transition(ground: Ground, current: Fleet, way: Walk) -> Transition:
    """The way's waves as actions: each asks for what differs from what was asked for before."""
    loads, routes = {load.seat: load for load in current.loads}, current.routes
    asked_routes, asked_loads = Latest(ground.routes), Latest(ground.loads)
    lasting = ground.loads(way.goal).keys()
    waves: list[Wave] = []
    start = before = way.start
    standing = asked_loads(start)
    if current.routes and asked_routes(start, start) != routes:
        routes = asked_routes(start, start)
        waves.append(Wave(WITHDRAW, (SetRoutes(routes),), wave_us(start, start, ground)))
    for name, moment, staying in _steps(way):
        if name == "route" or name in REMOVING:
            wanted = asked_routes(moment, staying)
            if wanted != routes and (name == "route" or _parts(wanted) != _parts(routes)):
                waves.append(Wave("route", (SetRoutes(wanted),), wave_us(before, before, ground)))
                routes = wanted
        wanted_loads = asked_loads(moment)
        actions = _loading(name, loads, standing, wanted_loads, lasting)
        loads = _after(loads, actions)
        if actions:
            waves.append(Wave(name, actions, wave_us(before, moment, ground)))
        before, standing = moment, wanted_loads
    return Transition(tuple(waves), sum(wave.duration_us for wave in waves))


def _steps(way: Walk) -> Iterator[tuple[str, Between, Between]]:
    """Each wave with the moment that it leads to, and the moment over whose instances requests are parted by then.

    What the next wave takes away gets none any more.
    """
    moments = _with_all(way)
    for (name, moment), (following, then) in itertools.pairwise((*moments, moments[-1])):
        yield name, moment, then if name == "route" and following in REMOVING else moment


def _parts(routes: Iterable[RouteSet]) -> dict[tuple[str, str], tuple[Parts, ...]]:
    """How the requests of each demand are parted over nodes, where they are."""
    return {(item.service, item.origin): item.parts for item in routes if item.parts}


def _loading(
    name: str,
    loads: Mapping[Seat, Load],
    before: Mapping[Seat, Load],
    wanted: Mapping[Seat, Load],
    lasting: Collection[Seat],
) -> tuple[Action, ...]:
    """What a wave loads or removes.

    What a server has otherwise than planned is put right where it is `lasting`, and not where the way removes it: by
    the time that it is loaded, evidence may have ended that lets it stand.
    """
    if name == "grow":
        differing = ((seat, load) for seat, load in sorted(wanted.items()) if loads.get(seat) != load)
        return tuple(SetLoad(load) for seat, load in differing if seat in lasting or before.get(seat) != load)
    if name == "free":
        return _removing({seat: load for seat, load in loads.items() if before.get(seat) != wanted.get(seat)}, wanted)
    return _removing(loads, wanted) if name == "shrink" else ()


def _with_all(way: Walk) -> tuple[tuple[str, Between], ...]:
    """The moments with each kind of wave that the end of a way needs, though nothing may be left for it to do.

    What runs can differ from the running plan in what no plan speaks of: models that nobody asked for, or settings.
    """
    moments = list(way.moments)
    names = [name for name, _ in moments]
    if "grow" not in names:
        at = next((i for i, name in enumerate(names) if name != "free"), len(names))
        moments.insert(at, ("grow", moments[at - 1][1] if at else way.start))
    if "shrink" not in names:
        moments.append(("shrink", way.last))
    if "route" not in names:
        moments.insert(-1, ("route", moments[-2][1]))
    return tuple(moments)


def _removing(loads: Mapping[Seat, Load], wanted: Mapping[Seat, Load]) -> tuple[Action, ...]:
    actions: list[Action] = []
    for seat, load in sorted(loads.items()):
        if seat not in wanted:
            actions.append(Unload(*seat))
        elif wanted[seat] != load:
            actions.append(SetLoad(wanted[seat]))
    return tuple(actions)


def _after(loads: Mapping[Seat, Load], actions: tuple[Action, ...]) -> dict[Seat, Load]:
    found = dict(loads)
    for action in actions:
        if isinstance(action, SetLoad):
            found[action.load.seat] = action.load
        elif isinstance(action, Unload):
            found.pop(action.seat, None)
    return found
