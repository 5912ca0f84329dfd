"""The loop's engines against trying everything, on one tiny problem of the product under some of the rules."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from every_product import Everything
from proving import Engine, Tried, gap
from small_products import Product, product

from controller.decision import Proof, State
from controller.fleet import Fleet
from controller.planning.build import Built
from controller.planning.choose import choose
from controller.planning.demand import Asked
from controller.planning.objective import cost_of, prices
from controller.planning.options import speeds
from controller.planning.solve import solve
from controller.planning.whole.rounds import plan_fleet
from rules.catalogue import RULES
from rules.kernel.formulation import Formulation
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation

ALL: Final = frozenset(rule.id for rule in RULES)
WHOLE_EVERY: Final = 10
"""The fleet engine is asked in one instance of so many: it takes longer than all the rest."""


def tried(seed: int) -> Tried:
    """Solve one problem by each engine; one that has too many plans is drawn again."""
    drawn, every = _small(seed)
    least = every.least(drawn.rules)
    wrong: list[str] = []
    engines: list[Engine] = []
    for name, plan, cost, is_exact in _planned(drawn, seed):
        if plan is None:
            engines.append(Engine(name, math.inf))
            if is_exact and least is not None:
                wrong.append(f"{name}: gives no plan, the best costs {least}")
            continue
        wrong += [f"{name}: {each}" for each in _broken(plan, drawn.problem, drawn.rules)]
        if least is None or cost < least or (is_exact and cost > least):
            wrong.append(f"{name}: its plan costs {cost}, the best {least}")
        engines.append(Engine(name, gap(cost, least or 0)))
    binding = tuple(rule for rule in sorted(drawn.rules) if every.least(drawn.rules - {rule}) != least)
    return Tried(tuple(wrong), tuple(engines), least is not None, tuple(sorted(drawn.rules)), binding)


def _small(seed: int) -> tuple[Product, Everything]:
    for again in range(100):
        drawn = product(seed + again * 1_000_003)
        every = Everything(drawn.problem, drawn.running)
        if every.is_small:
            return drawn, every
    raise LookupError(f"no problem near seed {seed} is small enough")


def _planned(drawn: Product, seed: int) -> Iterator[tuple[str, Plan | None, int, bool]]:
    """Each engine's plan with its cost by the rules' own prices, and whether the engine says that none is cheaper."""
    problem, running = drawn.problem, drawn.running
    form = written(problem, running, drawn.rules)
    solved = solve(form, problem)
    is_proven = solved.proof in {Proof.OPTIMAL, Proof.INFEASIBLE}
    yield "CP-SAT", solved.plan, cost_of(solved.plan, form) if solved.plan else 0, is_proven
    if solved.plan and solved.cost != cost_of(solved.plan, form):
        yield "CP-SAT's own account", solved.plan, solved.cost, False
    if drawn.rules == ALL and not problem.running:
        chosen = choose(_built(problem), running, Fleet(), State(), datetime.fromtimestamp(problem.now_s, UTC))
        plan = chosen.plan if chosen.proof is not Proof.UNDECIDED else None
        yield "choose", plan, cost_of(plan, form) if plan else 0, True
    if seed % WHOLE_EVERY == 0 and drawn.rules == ALL:
        found = plan_fleet(form, problem, running)
        yield "fleet engine", found.plan, found.cost, False


def written(problem: Problem, running: Plan, rules: frozenset[str]) -> Formulation:
    """The rows of these rules, and the prices. Levels are a matter of the degrade orders."""
    form = Formulation()
    for rule in RULES:
        if rule.id in rules and rule.applies(problem):
            rule.constrain(form, problem)
    soft = prices(problem, running)
    form.rows.append(soft if "degrade" in rules else replace(soft, levels=()))
    return form


def _broken(plan: Plan, problem: Problem, rules: frozenset[str]) -> list[Violation]:
    """What the verifier's side of these rules finds."""
    return [
        violation
        for rule in RULES
        if rule.id in rules and rule.applies(problem)
        for violation in rule.check(plan, problem)
    ]


def _built(problem: Problem) -> Built:
    """The problem as the loop has it before it chooses, with nothing running."""
    return Built(
        problem,
        problem,
        (),
        Asked(problem.demands, (), frozenset(), ()),
        {},
        State(),
        speeds(problem.policy, ()),
    )
