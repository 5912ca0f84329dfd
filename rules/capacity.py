"""Capacity: no option is given more calls than its instances answer within their predicted latency."""

from collections import Counter
from collections.abc import Iterable

from policy.findings import Finding
from rules.kernel.brought import brought
from rules.kernel.formulation import Flow, Formulation
from rules.kernel.measure import carried
from rules.kernel.plan import Plan
from rules.kernel.problem import WHOLE_PERMILLE, Problem
from rules.kernel.quantities import calls_per_second
from rules.kernel.rule import Violation


class Capacity:
    """For every option, the calls that routes bring it are at most what its instances may be given.

    A route brings share * rate * (sum of the fanouts of the stages that its path gives to the option) calls. With the
    share in permille and the rate in thousandths of a request a second, both sides are in millionths of a call a
    second: 1000 * `capacity_milli_rps` * instances on the other side. Exactly as much is kept.
    """

    id = "capacity"
    finding_id = "GW1002"
    always = False

    def applies(self, problem: Problem) -> bool:
        """Whether any path could bring calls."""
        return bool(problem.paths)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """A flow for each option that a path goes through."""
        for option_id, stages in brought(problem).items():
            shares = dict(stages)
            if len(shares) < len(stages):
                shares = dict.fromkeys(shares, 0)
                for path, calls in stages:
                    shares[path] += calls
            option = problem.option(option_id)
            answers = -WHOLE_PERMILLE * option.capacity_milli_rps
            place = problem.pool_of(option).place
            form.add(Flow(self.id, place, tuple(shares.items()), instances=((option_id, answers),), highest=0))

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Add up what the routes bring to each option."""
        brought: Counter[str] = Counter()
        for path, share_permille in carried(plan, problem):
            demand = problem.demand(path.demand)
            requests = share_permille * demand.rate_milli_rps
            stages = problem.service_of(demand).stages
            for stage, option_id in zip(stages, path.options, strict=True):
                brought[option_id] += requests * stage.fanout
        standing: Counter[str] = Counter()
        for item in plan.instances:
            standing[item.option] += item.count
        for option in problem.options:
            limit = standing.get(option.id, 0) * option.capacity_milli_rps * WHOLE_PERMILLE
            calls = brought.get(option.id, 0)
            if calls > limit:
                yield Violation(self.id, option.id, calls, limit, problem.pool_of(option).place)

    def explain(self, violation: Violation) -> Finding:
        """How many calls come, and how many could be answered."""
        message = (
            f"{violation.subject} would get {calls_per_second(violation.measured)}; "
            f"its instances may be given {calls_per_second(violation.limit)}"
        )
        return violation.finding(self.finding_id, message, "let more instances run, or send less of the traffic here")
