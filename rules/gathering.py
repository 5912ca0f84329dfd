"""Gathering: of stages that stay together in a rack or on a node, all instances that a site has stand in one."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from typing import Final

from policy.findings import Finding
from policy.resolved import Service, TogetherClause, Within
from rules.kernel.formulation import Formulation, Gathered
from rules.kernel.plan import Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation

ONE: Final = 1
"""Requests go to whichever of a pool's instances is free: they stay in one place where all of these stand there."""
PLACES: Final = {Within.RACK: "racks", Within.NODE: "nodes"}
"""What is counted; clauses that speak of neither are not meant."""


class Gathering:
    """At each site, all instances that may serve the stages of a clause stand in one rack, or on one node.

    An instance may serve a stage when some path of the service takes its option there, whatever other services do with
    it; barred paths do not count. Sites have a rack or a node each. Nodes of a site of which no rack is named are taken
    to share one.
    """

    id = "gathering"
    finding_id = "GW1086"
    always = False

    def applies(self, problem: Problem) -> bool:
        """Whether any service keeps stages together in a rack or on a node."""
        return any(True for _ in _clauses(problem))

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """A gathered row for each clause and each site where its stages have a choice of racks or nodes."""
        for service, clause in _clauses(problem):
            options: defaultdict[str, list[str]] = defaultdict(list)
            groups: defaultdict[str, dict[Hashable, list[str]]] = defaultdict(dict)
            for stage, taken in zip(service.stages, problem.taken(service.name), strict=False):
                for option in map(problem.option, taken if stage.name in clause.stages else ()):
                    options[problem.site_of(option)].append(option.id)
            for site, names in options.items():
                for pool in dict.fromkeys(problem.option(name).placement.pool for name in names):
                    for node in problem.nodes_of(pool):
                        where = node.name if clause.within is Within.NODE else problem.rack_of(node.name)
                        groups[site].setdefault(where, []).append(node.name)
            for site, here in groups.items():
                first, *others = map(tuple, here.values())
                if others:
                    form.add(Gathered(self.id, clause.place, tuple(dict.fromkeys(options[site])), (first, *others)))

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Count the racks, or the nodes, in which such instances stand at each site."""
        nodes_of: defaultdict[str, set[str]] = defaultdict(set)
        for item in plan.instances:
            if item.count:
                nodes_of[item.option].add(item.node)
        for service, clause in _clauses(problem):
            by_site: defaultdict[str, set[str]] = defaultdict(set)
            for node in set[str]().union(*(nodes_of[option] for option in _serving(problem, service, clause))):
                site, rack = problem.rack_of(node)
                by_site[site].add(node if clause.within is Within.NODE else rack)
            for site, (_, *more) in sorted(by_site.items()):
                if more:
                    subject, many = f"{service.name} at {site}", ONE + len(more)
                    yield Violation(self.id, subject, many, ONE, clause.place, PLACES[clause.within])

    def explain(self, violation: Violation) -> Finding:
        """Over how many racks or nodes the stages are spread."""
        message = (
            f"{violation.subject}: stages that stay together are spread over {violation.measured} "
            f"{violation.quantity}, and {violation.limit} is asked"
        )
        hint = "let them run at another site as well, where one place is too small, or take the clause out"
        return violation.finding(self.finding_id, message, hint)


def _clauses(problem: Problem) -> Iterator[tuple[Service, TogetherClause]]:
    """Every clause of racks or nodes."""
    return (
        (service, clause)
        for service in problem.policy.services
        for clause in service.together
        if clause.within in PLACES
    )


def _serving(problem: Problem, service: Service, clause: TogetherClause) -> set[str]:
    """The options that may serve a clause's stages."""
    return {
        option
        for demand in problem.demands
        if demand.service == service.name
        for path in problem.paths_of(demand.id)
        if path.id not in problem.barred
        for stage, option in zip(service.stages, path.options, strict=True)
        if stage.name in clause.stages
    }
