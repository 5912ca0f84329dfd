"""The cheapest plan of a problem, by the engine for its size, where changing to it pays."""

from collections import Counter
from dataclasses import dataclass, replace

from controller.decision import Proof
from controller.planning.align import align
from controller.planning.build import write
from controller.planning.objective import cost_of, prices, shortfall
from controller.planning.solve import Solved, nearest, solve
from controller.planning.verify import verify
from controller.planning.whole.reading import kept
from controller.planning.whole.rounds import plan_fleet
from controller.planning.whole.size import is_small
from rules.kernel.formulation import Formulation, Ladder, Row
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement, Problem


@dataclass(frozen=True, slots=True)
class Best:
    """The cheapest plan of a problem; `shortfall` is what degrading and refusing cost in it, `gave_up` in what runs.

    Others that cost the same as it does may answer sooner: they are those of `tied`, which is nothing for what runs.
    """

    plan: Plan
    proof: Proof
    shortfall: int
    cost: int
    gave_up: int
    tied: Formulation | None = None

    def tied_within(self, limits: tuple[Row, ...]) -> "Best":
        """The same plan, which keeps these rows: of those that cost as much, the ones that do as well."""
        return self if self.tied is None else replace(self, tied=_limited(self.tied, limits))


def cheapest(
    problem: Problem,
    running: Plan,
    limits: tuple[Row, ...] = (),
    below: Best | None = None,
    proposal: Plan | None = None,
) -> Best | None:
    """The cheapest plan; the running one where that is allowed and the change does not save what it must.

    With `below`, a plan that degrades and refuses for no less need not be found; the engine for large fleets begins
    with it. A change that only takes instances away pays from the first millicent; any other has to save one start's
    price. A ladder among `limits` stands in place of the service's own.
    """
    form = write(problem)
    form.rows.append(prices(problem, running))
    form = _limited(form, limits)
    limiting = Formulation(list(limits))
    settled = _is_plan(running, problem) and kept(limiting, running)
    whole = is_small(problem)
    if whole:
        solved = solve(form, problem, running if settled else None)
    elif below is None:
        solved = plan_fleet(form, problem, running)
    else:
        solved = plan_fleet(form, problem, below.plan, below.shortfall)
    if proposal is not None and _is_plan(proposal, problem) and kept(limiting, proposal):
        solved = _cheaper(solved, proposal, cost_of(proposal, form))
    if solved.plan is None:
        return None
    gave_up = shortfall(running, form)
    least = 1 if _only_fewer(solved.plan, running, problem) else least_saving(problem)
    costs = cost_of(running, form) if settled else 0
    if settled and costs - solved.cost < least:
        return Best(running, solved.proof, gave_up, costs, gave_up)
    return Best(solved.plan, solved.proof, shortfall(solved.plan, form), solved.cost, gave_up, form)


def _limited(form: Formulation, limits: tuple[Row, ...]) -> Formulation:
    """The rows with limits, of which ladders stand in place of those of the same services."""
    replaced = {row.service for row in limits if isinstance(row, Ladder)}
    rows = (row for row in form.rows if not (isinstance(row, Ladder) and row.service in replaced))
    return Formulation([*rows, *limits])


def soonest(best: Best, problem: Problem, running: Plan) -> Plan:
    """The plan that is given: of those that cost the same, one that answers soon, on the nodes where it runs now.

    Small problems alone are settled so: it takes as long as planning.
    """
    if best.tied is None:
        return best.plan
    found = nearest(best.tied, problem, best.plan, best.cost) if is_small(problem) else best.plan
    return align(found, running, problem)


def least_saving(problem: Problem) -> int:
    """Millicents an hour that a change has to save: one start's price, so that plans of nearly the same worth stay."""
    return max(1, problem.policy.cost.start_millicents)


def _only_fewer(plan: Plan, running: Plan, problem: Problem) -> bool:
    """Whether a plan has some of the running instances as they are set, and no others."""
    before, after = _standing(running, problem), _standing(plan, problem)
    return before != after and all(count <= before[setting] for setting, count in after.items())


def _standing(plan: Plan, problem: Problem) -> Counter[tuple[Placement, int, int]]:
    counts: Counter[tuple[Placement, int, int]] = Counter()
    for item in plan.instances:
        option = problem.option(item.option)
        counts[option.placement, option.max_batch, option.queue_delay_us] += item.count
    return counts


def _cheaper(solved: Solved, plan: Plan, cost: int) -> Solved:
    if solved.plan is not None and solved.cost <= cost:
        return solved
    return replace(solved, plan=plan, proof=Proof.FEASIBLE, cost=cost)


def _is_plan(plan: Plan, problem: Problem) -> bool:
    """Whether it is a plan of the problem: of its options and paths, and verified."""
    ids = {path.id for path in problem.paths} | {option.id for option in problem.options}
    known = all(item.option in ids for item in plan.instances) and all(route.path in ids for route in plan.routes)
    return known and not verify(plan, problem)
