"""Availability: each stage of a service survives the loss of sites and nodes that its objective allows for."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from policy.findings import Finding
from policy.resolved import AvailabilityObjective, Service, Stage
from rules.kernel.formulation import Distinct, Formulation
from rules.kernel.plan import Instances, Plan
from rules.kernel.problem import Problem
from rules.kernel.rule import Violation


class Availability:
    """Each stage has instances in no fewer `sites`, `racks` and `nodes` than asked; exactly as many do.

    Nodes of a site of which no rack is named are taken to share one. It is not promised while the service is at best
    effort: when too few sites are left, what is left still serves. Only options that some path of the service takes at
    that stage count. It is asked of services that have requests and at least one path.
    """

    id = "availability"
    finding_id = "GW1012"
    always = False

    def applies(self, problem: Problem) -> bool:
        """Whether any service with requests and a path has an availability objective."""
        return any(True for _ in _asked(problem))

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Distinct rows for each stage: by site, by node and, where that is asked, by rack."""
        for service, _, objective, usable in _asked(problem):
            sites: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
            racks: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
            nodes: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
            for option in map(problem.option, usable):
                here = [(option.id, node.name) for node in problem.nodes_of(option.placement.pool)]
                if here:
                    sites[problem.site_of(option)] += here
                for each in here:
                    nodes[each[1]].append(each)
                for each in here if objective.racks else ():
                    racks[problem.rack_of(each[1])].append(each)
            asked = [("site", list(sites.values()), objective.sites), ("node", list(nodes.values()), objective.nodes)]
            if objective.racks:
                asked.append(("rack", list(racks.values()), objective.racks))
            for unit, groups, least in asked:
                form.add(Distinct(self.id, objective.place, tuple(map(tuple, groups)), least, (service.name,), unit))

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Count the sites, racks and nodes where each stage has instances."""
        instances: defaultdict[str, list[Instances]] = defaultdict(list)
        for item in plan.instances:
            if item.count:
                instances[item.option].append(item)
        for service, stage, objective, usable in _asked(problem):
            if plan.level(service.name) > len(service.degrade):
                continue
            standing = [item for option in usable for item in instances[option]]
            nodes = {item.node for item in standing}
            sites = {problem.site_of(problem.option(item.option)) for item in standing}
            subject = f"stage {stage.name} of {service.name}"
            if len(sites) < objective.sites:
                yield Violation(self.id, subject, len(sites), objective.sites, objective.place, "sites")
            racks = {problem.rack_of(node) for node in nodes}
            if len(racks) < objective.racks:
                yield Violation(self.id, subject, len(racks), objective.racks, objective.place, "racks")
            if len(nodes) < objective.nodes:
                yield Violation(self.id, subject, len(nodes), objective.nodes, objective.place, "nodes")

    def explain(self, violation: Violation) -> Finding:
        """Where the stage stands, and where it should."""
        message = (
            f"{violation.subject} stands on {violation.measured} of the {violation.limit} {violation.quantity} "
            "that the objective asks for"
        )
        hint = "allow the stage's model in more pools, or lower the availability objective"
        return violation.finding(self.finding_id, message, hint)


def _asked(problem: Problem) -> Iterator[tuple[Service, Stage, AvailabilityObjective, tuple[str, ...]]]:
    """Every stage that an objective holds for, with the options that it may stand on."""
    rates: defaultdict[str, int] = defaultdict(int)
    for demand in problem.demands:
        rates[demand.service] += demand.rate_milli_rps
    for service in problem.policy.services:
        taken = problem.taken(service.name) if service.availability and rates[service.name] else ()
        for stage, usable in zip(service.stages, taken, strict=False):
            if service.availability and usable:
                yield service, stage, service.availability, usable
