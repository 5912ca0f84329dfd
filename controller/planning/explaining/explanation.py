"""What is told of a plan beyond its reasons: runners-up, what more is worth, and what would end a shortfall."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from collectors.snapshot import Snapshot
from controller.decision import State
from controller.planning.build import Built, build
from controller.planning.explaining.conflict import Conflict, clashes
from controller.planning.explaining.questions import Questions
from controller.planning.explaining.relaxation import Relaxation, relaxations_of_all
from controller.planning.explaining.runner_up import Chosen, RunnerUp, runners_up
from controller.planning.explaining.sacrifice import Sacrifice, sacrifices, services_short
from controller.planning.explaining.shadow import ShadowPrice, shadow_prices
from controller.planning.meter import Meter
from controller.planning.running import running_plan
from controller.planning.work import SHORTFALL_WORK
from policy.resolved import Policy
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement, Problem


@dataclass(frozen=True, slots=True)
class Loosened:
    """A conflict with the loosenings of its clauses that are enough, the cheapest plan first."""

    conflict: Conflict
    relaxations: tuple[Relaxation, ...]


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Why not everything is served as promised: the conflicts behind it, and who gives way to whom.

    Where there is no conflict: `undecided` are services of which it was not proven within the limit of work whether
    they can be served in full; `servable` is true where everything could be, by another plan than the one in use.
    """

    conflicts: tuple[Loosened, ...] = ()
    sacrifices: tuple[Sacrifice, ...] = ()
    undecided: tuple[str, ...] = ()
    servable: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """Runners-up of placements, shadow prices of pools and links, and, where something is not served, why."""

    runners_up: tuple[RunnerUp, ...]
    shadow_prices: tuple[ShadowPrice, ...]
    sacrifices: tuple[Sacrifice, ...]
    conflicts: tuple[Loosened, ...]
    undecided: tuple[str, ...]
    servable: bool


def explained(
    policy: Policy, snapshot: Snapshot, state: State, plan: Plan, *, now: datetime, wanted: Collection[Placement]
) -> Explanation:
    """The explanation of a plan that was made from these, with the runners-up of the placements that are wanted."""
    built = build(policy, snapshot, state, now)
    running = running_plan(built.whole, built.loaded, state)
    chosen = Chosen(plan, _with_paths_of(plan, built), built.exclusions, running)
    short = shortfall_of(plan, built, running)
    return Explanation(
        runners_up(chosen, frozenset(wanted)),
        shadow_prices(plan, built.problem, built.whole, running),
        short.sacrifices,
        short.conflicts,
        short.undecided,
        short.servable,
    )


def _with_paths_of(plan: Plan, built: Built) -> Problem:
    """The problem with the plan's own paths, also those that are too slow by what was learnt since."""
    routed = {route.path for route in plan.routes}
    slow = tuple(p for p in built.whole.paths if p.id in routed and not built.problem.has_path(p.id))
    return replace(built.problem, paths=(*built.problem.paths, *slow))


def shortfall_of(plan: Plan, built: Built, running: Plan) -> Shortfall:
    """Why not everything is served as promised; nothing where it is."""
    short = services_short(plan, built.whole)
    if not short:
        return Shortfall()
    meter = Meter(SHORTFALL_WORK)
    questions = Questions(replace(built.whole, floors=(), assured=()), running, meter)
    clashing = clashes(questions, short)
    loosened = tuple(map(Loosened, clashing.found, relaxations_of_all(questions, clashing.found, plan)))
    alone = {item.services[0] for item in clashing.found if len(item.services) == 1}
    return Shortfall(loosened, sacrifices(plan, questions, alone), clashing.undecided, clashing.servable)
