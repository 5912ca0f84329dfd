"""Which clauses took part in a plan: those that barred something, and those whose limit it reached."""

from collections import Counter
from collections.abc import Iterator

from controller.planning.build import write
from controller.planning.demand import demand_id
from controller.planning.explaining.clauses import clause_of
from controller.planning.explaining.sacrifice import services_short
from controller.planning.objective import cost_of
from controller.testing.rest import Rest
from policy.findings import Place
from rules.kernel.formulation import Budget, Count, Distinct, Flow, Formulation, Gathered, Penalty, Row
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem


def exercised(now: Rest) -> frozenset[Place]:
    """The places of clauses that took part in the plan at rest.

    A clause took part when it bars an option, a use or a path; when a bound, or the number of places that a stage has
    to stand in, is reached; when one instance less would be too few to spare or for the loss of a site; when it gathers
    what stands; when no further node could be paid for; when more is kept ready than is asked; when a degrade step is
    taken; when a service sleeps by it; or when one that does not preempt waits for what it lacks.
    """
    barred = {row.place for row in (*now.built.exclusions, *now.built.slow)}
    plan, problem = now.decision.plan, now.built.problem
    clauses = (clause_of(row) for row in write(problem).rows if _is_reached(row, plan, problem))
    reached = {clause.place for clause in clauses if clause}
    others = (*_steps(now), *_kept_ready(now), *_asleep(now), *_waiting(now))
    return frozenset(place for place in (*barred, *reached, *others) if place is not None)


def _is_reached(row: Row, plan: Plan, problem: Problem) -> bool:
    if isinstance(row, Count):
        count = plan.count(row.options)
        return count == row.highest or (count == row.lowest and row.lowest > 0)
    if isinstance(row, Distinct):
        standing = {(item.option, item.node) for item in plan.instances if item.count}
        return row.least > 1 and sum(not standing.isdisjoint(group) for group in row.groups) <= row.least
    if isinstance(row, Flow):
        given_up = any(plan.level(each) > len(problem.policy.service(each).degrade) for each in row.services)
        return not given_up and _is_short_of_one(row, plan)
    if isinstance(row, Gathered):
        nodes = {item.node for item in plan.instances if item.count and item.option in row.options}
        return any(not nodes.isdisjoint(group) for group in row.groups)
    if isinstance(row, Budget):
        powered, bounded = plan.powered(), Penalty("", nodes=row.prices_millicents, carried=row.carried_millicents)
        spent = cost_of(plan, Formulation([bounded]))
        spare = [price for node, price in row.prices_millicents if node not in powered]
        return spent + min(spare, default=0) > row.ceiling_millicents or spent == row.ceiling_millicents
    return False


def _is_short_of_one(row: Flow, plan: Plan) -> bool:
    """Whether a promise would be broken if one of the instances that it counts on were not there."""
    counts = Counter[str]()
    for item in plan.instances:
        counts[item.option] += item.count
    answers = [-weight for option, weight in row.instances if counts[option]]
    if row.highest is None or not answers:
        return False
    shares = {route.path: route.share_permille for route in plan.routes}
    asked = sum(weight * shares.get(path, 0) for path, weight in row.shares)
    held = sum(-weight * counts[option] for option, weight in row.instances)
    return asked - held + max(answers) > row.highest


def _steps(now: Rest) -> Iterator[Place]:
    """The degrade steps that are taken."""
    for service in now.policy.services:
        yield from (step.place for step in service.degrade[: now.decision.plan.level(service.name)])


def _kept_ready(now: Rest) -> Iterator[Place]:
    """The throughput objectives of demands that more is planned for than is asked, with headroom."""
    headroom = 1000 + now.policy.scaling.headroom_permille
    rates = now.decision.state.rates
    asked = {demand_id(rate.service, rate.origin): rate.milli_rps * headroom // 1000 for rate in rates}
    more = {each.id for each in now.built.problem.demands if each.rate_milli_rps > max(1, asked[each.id])}
    for service in now.policy.services:
        for objective in service.throughput:
            origins = (origin.site for origin in service.origins if objective.origin in {"", origin.site})
            if any(demand_id(service.name, origin) in more for origin in origins):
                yield objective.place


def _asleep(now: Rest) -> Iterator[Place]:
    """The `scaleToZero` of the services that sleep."""
    for service in now.policy.services:
        if service.scale_to_zero and service.name in now.decision.state.asleep:
            yield service.scale_to_zero.place


def _waiting(now: Rest) -> Iterator[Place]:
    """The `preemption` of the services that wait."""
    short = services_short(now.decision.plan, now.built.problem)
    for service in now.policy.services:
        if service.preemption and service.name in short:
            yield service.preemption.place
