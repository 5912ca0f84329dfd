"""A large fleet's plan made better by solving parts of it exactly, one after another.

A part is some models that compete for the same pools; the rest stays where it is and leaves its nodes' room. Of their
options the promising ones are weighed: those of the running plan, and those that cost least by a slot's share of its
node (the largest share of any resource), some for each demand.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from controller.decision import Proof
from controller.planning.fleet.cpsat import PackedForm, Part
from controller.planning.fleet.exact import Exact
from controller.planning.fleet.packed import Floats, Ints, PackedPlan, PackedProblem
from controller.planning.fleet.program import Limits
from controller.planning.fleet.rooms import begun, rooms
from controller.planning.fleet.subsets import first_subsets, subset_urps

FEWEST_MODELS: Final = 8
MOST_MODELS: Final = 20
OPTIONS_A_MODEL: Final = 18
OPTIONS_A_DEMAND: Final = 3
WORK: Final = 0.5
"""Deterministic time for a part."""
MOST_WORK: Final = 1.5
"""Once a round over all models has found nothing."""
UNBROKEN_S: Final = 60.0
"""Only against a part that hangs."""
OPEN_SHARE: Final = 0.3
"""What a slot on a node that is paid for anyway counts for, of its share of the price."""
SPREAD: Final = 0.3
"""By how much (log-normal) prices and kinship vary, so that no two parts around a model are the same."""
SHARPNESS: Final = 4
"""A pool that costs twice as much as the best draws a model by 2^-4."""
LEAST_PRICE: Final = 1e-30
"""Of an answer: among pools that cost nothing, none draws more than another."""


class Outlook(NamedTuple):
    """What can be said of a problem's options before any plan."""

    problem: PackedProblem
    model: Ints
    """[O]"""
    slot_price: Floats
    """[O]: an instance's share of its node."""
    served_urps: Floats
    """[O]: what an instance can answer of what is asked of it."""
    draw: Floats
    """[M, P]: how much each pool draws each model, 1 the most and 0 not at all."""


def outlook(problem: PackedProblem) -> Outlook:
    """Read once what all parts need."""
    models = problem.first_option.size - 1
    model = np.repeat(np.arange(models), np.diff(problem.first_option))
    reached = subset_urps(problem)[first_subsets(problem)[model] + problem.option_reach]
    fits = (problem.option_use <= problem.pool_capacity[problem.option_pool]).all(axis=1)
    served = np.where(fits, np.minimum(problem.option_urps, reached), 0).astype(float)
    share = problem.option_use / np.maximum(problem.pool_capacity[problem.option_pool], 1)
    slot_price = problem.pool_price[problem.option_pool] * share.max(axis=1)
    price = (slot_price + problem.option_price) / np.maximum(served, 1)
    usable = served > 0
    cheapest = np.full((models, problem.pool_nodes.size), np.inf)
    np.minimum.at(cheapest, (model[usable], problem.option_pool[usable]), price[usable])
    best = cheapest.min(axis=1, initial=np.inf, keepdims=True)
    draw = (np.where(np.isfinite(best), best, 0.0) + LEAST_PRICE) / (cheapest + LEAST_PRICE)
    return Outlook(problem, model, slot_price, served, draw**SHARPNESS)


def polished(
    problem: PackedProblem, plan: PackedPlan, seed: int = 1, left_s: Callable[[], float] = lambda: UNBROKEN_S
) -> Iterator[PackedPlan]:
    """The plan after each part, never dearer than before, for as long as one asks; the same for the same seed.

    A part is broken off after `left_s`, which is asked before each; what is broken off may come out otherwise.
    """
    view, rng = outlook(problem), np.random.default_rng(seed)
    size, work = FEWEST_MODELS, WORK
    while view.draw.shape[0]:
        before = plan
        for centre in rng.permutation(view.draw.shape[0]).tolist():
            models = related(view, plan, centre, size, rng)
            found = improved(view, plan, models, Limits(work, left_s(), seed=seed), rng)
            size += 1 if found.proof is Proof.OPTIMAL else -1
            size = min(max(size, FEWEST_MODELS), MOST_MODELS)
            plan = found.plan
            yield plan
        work = min(MOST_WORK, 2 * work) if plan is before else WORK


def related(view: Outlook, plan: PackedPlan, centre: int, size: int, rng: np.random.Generator) -> Ints:
    """The model at the centre and those most in its way: on its nodes, in pools that draw it, drawn to its pools."""
    models, pools = view.draw.shape
    owner = view.model[plan.instance_option]
    stands = np.bincount(owner * pools + view.problem.option_pool[plan.instance_option], minlength=models * pools)
    stands = np.minimum(stands.reshape(models, pools), 1)
    beside = np.isin(plan.instance_node, plan.instance_node[owner == centre])
    kinship = (
        stands @ view.draw[centre] + view.draw @ stands[centre] + np.bincount(owner[beside], minlength=models)
    ) * np.exp(SPREAD * rng.standard_normal(models))
    kinship[centre] = np.inf
    return np.sort(np.argsort(-kinship, kind="stable")[:size])


def improved(view: Outlook, plan: PackedPlan, models: Ints, limits: Limits, rng: np.random.Generator) -> Exact:
    """The plan with these models placed anew where that is cheaper; its cost and bound are of these models alone."""
    problem = view.problem
    freed = np.isin(view.model[plan.instance_option], models)
    standing, moving = _pick(plan, np.flatnonzero(~freed)), _pick(plan, np.flatnonzero(freed))
    options = _promising(view, standing, moving, models, rng)
    part = Part(models, options, rooms(problem, standing, np.unique(problem.option_pool[options])))
    form = PackedForm(problem, part)
    answer = form.program.solve(limits, form.values(moving))
    found = Exact(plan, form.cost(moving), answer.bound, answer.proof, answer.work)
    if answer.values is None:
        return found
    placed = form.plan(answer.values)
    cost = form.cost(placed)
    if cost >= found.cost - 1e-9:
        return found
    joined = PackedPlan(*(np.concatenate(both) for both in zip(standing, placed, strict=True)))
    return replace(found, plan=joined, cost=cost)


def _pick(plan: PackedPlan, which: Ints) -> PackedPlan:
    return PackedPlan(plan.instance_option[which], plan.instance_node[which])


def _promising(view: Outlook, standing: PackedPlan, moving: PackedPlan, models: Ints, rng: np.random.Generator) -> Ints:
    """Options worth weighing, in ascending order."""
    problem = view.problem
    widest = np.full_like(problem.pool_capacity, -1)
    held = begun(problem, standing)
    np.maximum.at(widest, held.pool, held.left)
    chosen = [np.unique(moving.instance_option)]
    for model in models.tolist():
        options = np.arange(problem.first_option[model], problem.first_option[model + 1])
        options = options[view.served_urps[options] > 0]
        pools = problem.option_pool[options]
        is_open = (problem.option_use[options] <= widest[pools]).all(axis=1)
        price = view.slot_price[options] * np.where(is_open, OPEN_SHARE, 1.0) + problem.option_price[options]
        price *= np.exp(SPREAD * rng.standard_normal(options.size)) / view.served_urps[options]
        ranked = options[np.argsort(price, kind="stable")]
        chosen.append(ranked[:OPTIONS_A_MODEL])
        reach = problem.option_reach[ranked]
        demands = int(problem.first_demand[model + 1] - problem.first_demand[model])
        chosen += [ranked[(reach >> bit & 1) > 0][:OPTIONS_A_DEMAND] for bit in range(demands)]
    return np.unique(np.concatenate(chosen))
