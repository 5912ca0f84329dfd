"""What a whole plan costs an hour with a loosening in force.

On a small fleet it is the cheapest plan that CP-SAT finds. On a large one a linear programme over pools tells it: over
all paths it is a bound from below. Where the limit of work does not allow that for every loosening, only the services
that the loosening is for are free, and the others keep to the paths that they have in the plan in use: it is no more
than that.
"""

from dataclasses import dataclass
from typing import NamedTuple

from controller.planning.explaining.clauses import EVERYTHING, Edit
from controller.planning.explaining.questions import Questions
from controller.planning.meter import A_PRICE
from controller.planning.objective import price_per_hour
from controller.planning.pooled.linear import Floats, minimise
from controller.planning.pooled.programme import Programme
from controller.planning.solve import solve
from controller.planning.whole.size import is_small
from controller.planning.work import OTHER_PLAN_WORK
from rules.kernel.formulation import Count
from rules.kernel.plan import Plan


class Price(NamedTuple):
    """Millicents an hour, None where no plan was found; roughly where `about`, `at_most` where others stayed."""

    millicents: int | None
    about: bool
    at_most: bool = False


@dataclass(frozen=True, slots=True)
class Pricing:
    """How loosenings are priced: all paths free, or, `beside` a plan, those of the services that one is for."""

    beside: Plan | None

    @classmethod
    def of(cls, questions: Questions, many: int, plan: Plan | None) -> "Pricing":
        """For so many loosenings: with all paths free where what is left of the limit is enough for all of them."""
        if plan is None or is_small(questions.problem):
            return cls(None)
        rows = questions.programme(EVERYTHING, full=False).rows
        return cls(None if questions.meter.affords(rows, A_PRICE * many) else plan)

    def price(self, questions: Questions, edit: Edit, services: frozenset[str]) -> Price:
        """What the nodes and links of the whole plan cost when clauses hold as `edit` says."""
        problem = questions.problem
        if is_small(problem):
            asked = questions.priced(edit)
            found = solve(asked.form, asked.problem, None, OTHER_PLAN_WORK)
            return Price(price_per_hour(found.plan, asked.problem) if found.plan else None, found.plan is None)
        programme = questions.programme(edit, full=False)
        upper = programme.narrow()
        if self.beside is not None:
            upper = _moving(programme, services, self.beside)
        questions.meter.solved(programme.rows, A_PRICE, upper)
        solution = minimise(programme.rows, programme.form.cost, upper)
        if solution is None:
            return Price(None, about=True)
        price, value = problem.policy.pool, solution.value
        nodes = (price(pool).price_millicents_per_hour * value[at] for pool, at in programme.form.powered.items())
        links = sum(value[at] for at in programme.form.carried)
        return Price(round(float(sum(nodes) + links)), about=True, at_most=self.beside is not None)


def _moving(programme: Programme, services: frozenset[str], plan: Plan) -> Floats:
    """[columns]: upper ends at which the paths of these services are open and, of the others, those of the plan."""
    form = programme.form
    routed = {route.path for route in plan.routes}
    own = {demand.id for demand in form.problem.demands if demand.service in services}
    paths = (path for path in form.problem.paths if path.id in routed or path.demand in own)
    counted = (name for row in form.rows if isinstance(row.source, Count) for name in row.source.options)
    return programme.along(paths, plan.used_options().union(counted))
