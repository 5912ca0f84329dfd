"""What can be changed while sites or servers bring nothing about: all else, as far as that is safe beside these.

Such a site serves on, and its gateways go on as they do. So its loads stay in every plan as they stand, its requests
keep their ways, and what these go over elsewhere is not taken away. Of a server that hangs the seat stays as it is that
was waited for. The verifier judges the rest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from controller.actions import Action, SetLoad, SetRoutes, Transition, Unload
from controller.decision import Proof
from controller.fleet import Fleet, Seat
from controller.planning.choose import Choice
from controller.planning.preemption import takes
from controller.planning.remaining import remaining
from controller.planning.transitions.between import Between, Spot
from controller.planning.transitions.ground import Ground
from controller.planning.transitions.parts import part_by_part
from controller.planning.transitions.transition import Reached, transition
from controller.planning.transitions.withdraw import withdraw
from controller.planning.verify import introduced, verify
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement


def beside_stuck(
    choice: Choice, running: Plan, current: Fleet, sites: frozenset[str], seats: frozenset[Seat] = frozenset()
) -> Choice:
    """What is chosen, without any change at these: the same where it has none, else as much of it as can be."""
    if not (sites or seats) or choice.way is None:
        return choice
    stuck = _Stuck(Ground(choice.whole), sites, seats)
    start = stuck.start(running, current)
    goal = stuck.ground.between(choice.plan)
    if choice.is_found and (stuck.as_it_is(start, goal) != goal or stuck.is_gone_over(choice.way, current)):
        reached = stuck.reached(running, current, start, goal)
        # While the same hangs, the same would be found again. Of sites the question does not tell.
        is_at_rest = not sites and reached == Reached(running, Transition())
        settled = choice.question if is_at_rest else ""
        choice = replace(choice, plan=reached.plan, way=reached.way, proof=Proof.UNDECIDED, settled=settled)
    return replace(choice, way=stuck.elsewhere(choice.way or Transition()))


@dataclass(frozen=True, slots=True)
class _Stuck:
    ground: Ground
    sites: frozenset[str]
    seats: frozenset[Seat]

    def start(self, running: Plan, current: Fleet) -> Between:
        """What may stay of what runs; such a site withdraws by itself, and not before evidence has ended."""
        whole = self.ground.problem
        for_now = replace(whole, needed_until_s=whole.now_s)
        had, leaving = (self.ground.between(withdraw(running, each, current)) for each in (for_now, whole))
        return self.as_it_is(had, leaving)

    def as_it_is(self, start: Between, goal: Between) -> Between:
        """The goal, with what these have, and what requests of the sites go over elsewhere, as at the start."""
        origins = {demand.id: demand.origin for demand in self.ground.problem.demands}
        asked = {demand for demand, origin in origins.items() if origin in self.sites}
        here = {placement for placement, _ in (*start.counts, *goal.counts) if self._is_here(placement)}
        needed = {placement for demand in asked for taken in start.shares[demand] for placement in taken} - here
        held = {spot: count for spot, count in start.counts.items() if spot[0] in here or self._hangs(spot)}
        counts = {spot: count for spot, count in goal.counts.items() if not (spot[0] in here or self._hangs(spot))}
        counts |= {spot: max(count, counts.get(spot, 0)) for spot, count in start.counts.items() if spot[0] in needed}
        counts |= held
        standing = {placement for placement, _ in counts}
        kept = here | {placement for placement, _ in held}
        settings = {p: (start if p in kept or p not in goal.settings else goal).settings[p] for p in standing}
        loads_permille = {
            placement: (goal if goal.settings.get(placement) == settings[placement] else start).loads_permille[
                placement
            ]
            for placement in standing
        }
        services = {demand.service for demand in self.ground.problem.demands if demand.id in asked}
        levels = dict(goal.levels)
        levels |= {s: max(level, levels.get(s, 0)) for s, level in start.levels.items() if s in services}
        shares = {demand: (start if demand in asked else goal).shares[demand] for demand in goal.shares}
        return Between(counts, settings, loads_permille, shares, levels)

    def reached(self, running: Plan, current: Fleet, start: Between, goal: Between) -> Reached:
        """The goal without these, else as many of its parts as there are without them, else what may stay."""
        whole = self.ground.problem
        before = verify(running, whole)

        def is_allowed(moment: Between) -> bool:
            plan = self.ground.plan(moment)
            if plan is None or takes(plan, running, whole):
                return False
            return not introduced(verify(plan, whole), before)

        for moment in self._nearest(start, goal, is_allowed):
            plan = self.ground.plan(moment)
            way = transition(whole, running, current, plan) if plan is not None and is_allowed(moment) else None
            if plan is not None and way is not None and not self.is_gone_over(way, current):
                return Reached(plan, way)
        return remaining(whole, running, current) or Reached(running, Transition())

    def _nearest(self, start: Between, goal: Between, is_allowed: Callable[[Between], bool]) -> Iterator[Between]:
        yield self.as_it_is(start, goal)
        yield part_by_part(
            self.ground, start, goal, lambda moment: self.as_it_is(start, moment) == moment and is_allowed(moment)
        )

    def elsewhere(self, way: Transition) -> Transition:
        """The way without what would be done at these: nothing there is needed by what comes after it."""
        waves = []
        for wave in way.waves:
            actions = tuple(action for each in wave.actions for action in self._not_here(each))
            if actions:
                waves.append(replace(wave, actions=actions))
        return Transition(tuple(waves), sum(wave.duration_us for wave in waves))

    def _not_here(self, action: Action) -> tuple[Action, ...]:
        match action:
            case SetLoad(load):
                return () if self._is_here(load.placement) or load.seat in self.seats else (action,)
            case Unload(placement):
                return () if self._is_here(placement) or action.seat in self.seats else (action,)
            case SetRoutes(routes):
                others = tuple(item for item in routes if item.origin not in self.sites)
                return (SetRoutes(others),) if others else ()

    def is_gone_over(self, way: Transition, current: Fleet) -> bool:
        """Whether a way would have more for a while on a seat that hangs than there is."""
        standing = {load.seat: load.instances for load in current.loads}
        loads = (action.load for wave in way.waves for action in wave.actions if isinstance(action, SetLoad))
        return any(load.seat in self.seats and load.instances > standing.get(load.seat, 0) for load in loads)

    def _hangs(self, spot: Spot) -> bool:
        """Whether the server hangs that stands for a node."""
        return bool(self.seats) and (spot[0], self.ground.problem.server_of(spot[1])) in self.seats

    def _is_here(self, placement: Placement) -> bool:
        return self.ground.site(placement.pool) in self.sites
