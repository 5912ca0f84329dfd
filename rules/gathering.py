"""Gathering: of stages that stay together in a rack or on a node, all instances that a site has stand in one."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from typing import Final

from policy.findings import Finding
from policy.resolved import Service, TogetherClause, Within
from rules.kernel.formulation import Formulation, Gathered
from rules.kernel.plan import Plan
from rules.kernel.problem import Placement, Problem
from rules.kernel.rule import Violation

ONE: Final = 1
"""Requests go to whichever of a pool's instances is free: they stay in one place where all of these stand there."""
PLACES: Final = {Within.RACK: "racks", Within.NODE: "nodes"}
"""What the check counts; clauses that speak of neither are not meant."""


class Gathering:
    """At each site, all instances that may serve the stages of a clause stand in one rack, or on one node.

    An instance may serve a stage when some path of the service takes its placement there, however it is set and
    whatever other services do with it; barred paths do not count. Sites have a rack or a node each. Nodes of a site of
    which no rack is named are taken to share one.
    """

    id = "gathering"
    finding_id = "GW1086"
    always = False

    def applies(self, problem: Problem) -> bool:
        """Whether any service keeps stages together in a rack or on a node."""
        return any(True for _ in _clauses(problem))

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """A gathered row for each clause and each site where its stages have a choice of racks or nodes."""
        settings: defaultdict[Placement, list[str]] = defaultdict(list)
        for option in problem.options:
            settings[option.placement].append(option.id)
        taken = _taken(problem)
        for service, clause in _clauses(problem):
            sites: defaultdict[str, dict[Placement, None]] = defaultdict(dict)
            for stage in clause.stages:
                for chosen in map(problem.option, taken.get((service.name, stage), ())):
                    sites[problem.site_of(chosen)][chosen.placement] = None
            for placements in sites.values():
                options = tuple(option for placement in placements for option in settings[placement])
                groups = _groups(problem, clause, [placement.pool for placement in placements])
                _, *others = groups or ((),)
                if others:
                    form.add(Gathered(self.id, clause.place, options, groups))

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Count the racks, or the nodes, in which such instances stand at each site."""
        placement_of = {option.id: option.placement for option in problem.options}
        nodes_of: defaultdict[Placement, set[str]] = defaultdict(set)
        for item in plan.instances:
            if item.count and item.option in placement_of:
                nodes_of[placement_of[item.option]].add(item.node)
        asked = [(service, clause) for service in problem.policy.services for clause in service.together]
        for service, clause in asked:
            if clause.within not in PLACES:
                continue
            by_site: defaultdict[str, set[str]] = defaultdict(set)
            for node in set[str]().union(*(nodes_of[each] for each in _serving(problem, service, clause))):
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
    """Every clause that rows are written of: those of racks or nodes."""
    return (
        (service, clause)
        for service in problem.policy.services
        for clause in service.together
        if clause.within in (Within.RACK, Within.NODE)
    )


def _taken(problem: Problem) -> dict[tuple[str, str], dict[str, None]]:
    """By service that has such a clause and by stage, the options that its paths take, but for barred paths."""
    found: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    asking = {service.name for service, _ in _clauses(problem)}
    for demand in (demand for demand in problem.demands if demand.service in asking):
        stages = problem.service_of(demand).stages
        for path in (path for path in problem.paths_of(demand.id) if path.id not in problem.barred):
            for stage, option in zip(stages, path.options, strict=True):
                found[demand.service, stage.name][option] = None
    return found


def _groups(problem: Problem, clause: TogetherClause, pools: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """The nodes of some pools of a site, those of a rack together, or each by itself."""
    found: defaultdict[Hashable, list[str]] = defaultdict(list)
    for node in (node.name for pool in dict.fromkeys(pools) for node in problem.nodes_of(pool)):
        found[node if clause.within is Within.NODE else problem.rack_of(node)].append(node)
    return tuple(map(tuple, found.values()))


def _serving(problem: Problem, service: Service, clause: TogetherClause) -> set[Placement]:
    """The placements that may serve a clause's stages."""
    return {
        problem.option(option).placement
        for demand in problem.demands
        if demand.service == service.name
        for path in problem.paths_of(demand.id)
        if path.id not in problem.barred
        for stage, option in zip(service.stages, path.options, strict=True)
        if stage.name in clause.stages
    }
