"""The loop's engines against trying everything, on one tiny problem of the product under some of the rules."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, NamedTuple

from every_product import Everything
from proving import Engine, Tried, gap
from small_products import Product, product

from controller.decision import Proof, State
from controller.fleet import fleet_of
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
LOOP: Final = "choose"
UNREACHED: Final = frozenset({"GW2012", "GW2013"})
"""Nothing can be reached, or another plan than the best."""
FURTHER: Final = 1_000_003
"""From one seed to the one that is tried in its stead."""
CHOICE_EVERY: Final = 4
FLEET_EVERY: Final = 10
"""These are asked in one instance of so many: they take longer than all the rest."""


def tried(seed: int) -> Tried:
    """Solve one problem by each engine; one that has too many plans is drawn again."""
    drawn, every = _small(seed)
    problem, rules = drawn.problem, drawn.rules
    least = every.least(rules)
    form = written(problem, drawn.running, rules)
    found = [_solved(drawn, form)]
    if rules == ALL and seed % FLEET_EVERY == 0:
        planned = plan_fleet(form, problem, drawn.running)
        found.append(Found("fleet engine", planned.plan, planned.cost))
    outcomes = [_judged(each, problem, rules, form, least) for each in found]
    if rules == ALL and seed % CHOICE_EVERY == 0:
        free = replace(problem, floors=())
        outcomes.append(_chosen(drawn, free, Everything(free, drawn.running).least(ALL) if problem.floors else least))
    binding = tuple(rule for rule in sorted(rules) if every.says(rule) and every.least(rules - {rule}) != least)
    return Tried(
        wrong=tuple(each for wrong, _ in outcomes for each in wrong),
        engines=tuple(engine for _, engine in outcomes),
        is_possible=least is not None,
        rules=tuple(rule.id for rule in RULES if rule.id in rules and rule.applies(problem)),
        binding=binding,
    )


def _small(seed: int) -> tuple[Product, Everything]:
    for again in range(100):
        drawn = product(seed + again * FURTHER)
        every = Everything(drawn.problem, drawn.running)
        if every.is_small:
            return drawn, every
    raise LookupError(f"no problem near seed {seed} is small enough")


class Found(NamedTuple):
    """What an engine gives: a plan, what it says that costs, and whether it says that none is cheaper."""

    engine: str
    plan: Plan | None
    cost: int
    is_exact: bool = False


def _judged(
    found: Found, problem: Problem, rules: frozenset[str], form: Formulation, least: int | None
) -> tuple[list[str], Engine]:
    """What is wrong with an engine's plan, and how far from the best it is."""
    wrong: list[str] = []
    if found.plan is None:
        wrong += [f"gives no plan, the best costs {least}"] if found.is_exact and least is not None else []
        return [f"{found.engine}: {each}" for each in wrong], Engine(found.engine, 0.0 if least is None else math.inf)
    wrong += [str(each) for each in _broken(found.plan, problem, rules)]
    if found.cost != cost_of(found.plan, form):
        wrong.append(f"its plan costs {cost_of(found.plan, form)}, not {found.cost}")
    if least is None or found.cost < least or (found.is_exact and found.cost > least):
        wrong.append(f"its plan costs {found.cost}, the best {least}")
    return [f"{found.engine}: {each}" for each in wrong], Engine(found.engine, gap(found.cost, least or 0))


def _solved(drawn: Product, form: Formulation) -> Found:
    solved = solve(form, drawn.problem)
    return Found("CP-SAT", solved.plan, solved.cost, solved.proof in {Proof.OPTIMAL, Proof.INFEASIBLE})


def _chosen(drawn: Product, free: Problem, least: int | None) -> tuple[list[str], Engine]:
    """What the loop makes of it all: the best plan, what runs where that is nearly as good, or what can be reached.

    It has its own floors, of which there are none here: all may go in one step.
    """
    running = drawn.running
    form = written(free, running, ALL)
    now = datetime.fromtimestamp(free.now_s, UTC)
    chosen = choose(_built(free), running, fleet_of(running, free), State(), now)
    if least is None or any(finding.id in UNREACHED for finding in chosen.findings):
        is_kept = chosen.proof is Proof.UNDECIDED
        plan = None if is_kept else chosen.plan
        engine = LOOP if least is None else f"{LOOP}, best out of reach"
        return _judged(Found(engine, plan, cost_of(plan, form) if plan else 0), free, ALL, form, least)
    cost = cost_of(chosen.plan, form)
    rests = chosen.plan == running and cost - least < max(1, free.policy.cost.start_millicents)
    return _judged(Found(LOOP, chosen.plan, cost, is_exact=not rests), free, ALL, form, least)


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
    """The problem as the loop has it before it chooses."""
    return Built(
        problem,
        problem,
        (),
        Asked(problem.demands, (), frozenset(), ()),
        {},
        State(),
        speeds(problem.policy, ()),
    )
