"""What is told of a plan beyond its reasons: runners-up, what more is worth, and what would end a shortfall."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from collectors.snapshot import Snapshot
from controller.decision import State
from controller.planning.build import Built, build
from controller.planning.conflict import Conflict, conflicts
from controller.planning.questions import Questions
from controller.planning.relaxation import Relaxation, relaxations
from controller.planning.runner_up import Chosen, RunnerUp, runners_up
from controller.planning.running import running_plan
from controller.planning.sacrifice import Sacrifice, sacrifices
from controller.planning.shadow import ShadowPrice, shadow_prices
from policy.resolved import Policy
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement


@dataclass(frozen=True, slots=True)
class Loosened:
    """A conflict with the loosenings of its clauses that are enough, the cheapest plan first."""

    conflict: Conflict
    relaxations: tuple[Relaxation, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Runners-up of placements, shadow prices of pools and links, and, where something is not served, why."""

    runners_up: tuple[RunnerUp, ...]
    shadow_prices: tuple[ShadowPrice, ...]
    sacrifices: tuple[Sacrifice, ...]
    conflicts: tuple[Loosened, ...]


def explained(
    policy: Policy, snapshot: Snapshot, state: State, plan: Plan, *, now: datetime, wanted: Collection[Placement]
) -> Explanation:
    """The explanation of a plan that was made from these, with the runners-up of the placements that are wanted."""
    built = build(policy, snapshot, state, now)
    running = running_plan(built.whole, built.loaded, state)
    chosen = Chosen(plan, built.problem, built.exclusions, running)
    return Explanation(
        runners_up(chosen, frozenset(wanted)),
        shadow_prices(plan, built.problem, built.whole, running),
        *shortfall_of(plan, built, running),
    )


def shortfall_of(plan: Plan, built: Built, running: Plan) -> tuple[tuple[Sacrifice, ...], tuple[Loosened, ...]]:
    """Who gives way to whom, and the conflicts behind it; nothing where everything is served."""
    given_up = sacrifices(plan, built.problem, running)
    if not given_up:
        return (), ()
    questions = Questions(replace(built.whole, floors=()))
    found = conflicts(questions, [item.service for item in given_up])
    return given_up, tuple(Loosened(item, relaxations(questions, item)) for item in found)
