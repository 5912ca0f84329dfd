"""Served: every request has a destination or is knowingly refused, and a plan names only what the problem has."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from policy.findings import Finding
from rules.kernel.formulation import Flow, Formulation
from rules.kernel.plan import Instances, Plan
from rules.kernel.problem import WHOLE_PERMILLE, Problem
from rules.kernel.quantities import percent
from rules.kernel.rule import Violation

UNKNOWN = "entries for what the problem does not have"
REPEATED = "entries for one service"
SHARE = "share"
COUNT = "instances"


class Served:
    """For every demand, the shares of its routes and its unserved share sum to exactly 1000 permille.

    It always applies, for it also keeps a plan meaningful: instances stand on nodes of their option's pool; paths,
    demands and services are the problem's; a service has one level; no count is negative and no share is outside
    0..1000. An entry that is not so is a violation here and of no concern to the other rules.
    """

    id = "served"
    finding_id = "GW1006"
    always = True

    def applies(self, problem: Problem) -> bool:  # noqa: ARG002 - the protocol's signature; a plan must always make sense
        """Always."""
        return True

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """A flow of exactly 1000 for each demand. Engines know no ids and no ranges but the problem's."""
        carries: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        for path in problem.paths:
            carries[path.demand].append((path.id, 1))
        for demand in problem.demands:
            shares = tuple(carries[demand.id])
            place = problem.service_of(demand).place
            unserved = ((demand.id, 1),)
            form.add(
                Flow(self.id, place, shares, unserved=unserved, lowest=WHOLE_PERMILLE, highest=WHOLE_PERMILLE),
            )

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Add up each demand's shares, then look for entries that mean nothing."""
        total: Counter[str] = Counter()
        for route in plan.routes:
            if problem.has_path(route.path):
                total[problem.path(route.path).demand] += route.share_permille
        refused: Counter[str] = Counter()
        for item in plan.unserved:
            refused[item.demand] += item.share_permille
        for demand in problem.demands:
            accounted = total[demand.id] + refused[demand.id]
            if accounted != WHOLE_PERMILLE:
                place = problem.service_of(demand).place
                yield Violation(self.id, demand.id, accounted, WHOLE_PERMILLE, place, SHARE)
        yield from self._unknown(plan, problem)
        yield from self._out_of_range(plan)

    def _unknown(self, plan: Plan, problem: Problem) -> Iterator[Violation]:
        pool_of_option = {option.id: option.placement.pool for option in problem.options}
        pool_of_node = {node.name: node.pool for node in problem.nodes}
        demands = {demand.id for demand in problem.demands}
        services = {service.name for service in problem.policy.services}

        def stands(item: Instances) -> bool:
            return item.option in pool_of_option and pool_of_node.get(item.node) == pool_of_option[item.option]

        unknown = Counter(
            [f"{item.option} on {item.node}" for item in plan.instances if not stands(item)]
            + [item.path for item in plan.routes if not problem.has_path(item.path)]
            + [item.demand for item in plan.unserved if item.demand not in demands]
            + [item.service for item in plan.degraded if item.service not in services]
        )
        for subject, entries in unknown.items():
            yield Violation(self.id, subject, entries, 0, None, UNKNOWN)
        levels = Counter(item.service for item in plan.degraded)
        for service in levels - Counter(set(levels)):
            yield Violation(self.id, service, levels[service], 1, None, REPEATED)

    def _out_of_range(self, plan: Plan) -> Iterator[Violation]:
        for item in plan.instances:
            if item.count < 0:
                yield Violation(self.id, f"{item.option} on {item.node}", item.count, 0, None, COUNT)
        shares = [(item.path, item.share_permille) for item in plan.routes]
        shares += [(item.demand, item.share_permille) for item in plan.unserved]
        for subject, share_permille in shares:
            nearest = min(max(share_permille, 0), WHOLE_PERMILLE)
            if share_permille != nearest:
                yield Violation(self.id, subject, share_permille, nearest, None, SHARE)

    def explain(self, violation: Violation) -> Finding:
        """What does not add up, or what is not there."""
        if violation.quantity in {UNKNOWN, REPEATED, COUNT}:
            message = f"{violation.subject}: {violation.quantity}: {violation.measured}, allowed: {violation.limit}"
            return violation.finding(self.finding_id, message, "make the plan anew from the current problem")
        message = f"{violation.subject} adds up to {percent(violation.measured)} instead of {percent(violation.limit)}"
        return violation.finding(self.finding_id, message, "route the rest of the requests, or count it as unserved")
