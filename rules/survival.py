"""Survival: with any one site lost, what stands at the others takes over what it served."""

from collections.abc import Iterable, Sequence

from policy.findings import Finding
from rules.kernel.brought import brought
from rules.kernel.formulation import Flow, Formulation
from rules.kernel.losses import losses
from rules.kernel.moving_groups import crowds
from rules.kernel.plan import Plan
from rules.kernel.pouring import Pouring
from rules.kernel.problem import WHOLE_PERMILLE, Problem
from rules.kernel.quantities import calls_per_second
from rules.kernel.refuge import sites
from rules.kernel.rule import Violation


class Survival:
    """For each site, the calls of routes through it have room on the instances at other sites, beside what stays there.

    What stays are the calls of all routes that avoid the site. Routes through it are lost, and those of services that
    survive any site move to their refuge: by stage, the options of the cheapest path that avoids the site, that nothing
    bars and that opens no later in the degrade order; and, from the cheapest call on, each option that makes nothing
    but such paths with all those taken before it. So stages need not look at each other. Exactly as much room is
    enough. It is not promised while a service is at best effort. Requests that come from the lost site go on being
    asked.
    """

    id = "survival"
    finding_id = "GW1085"
    always = False

    def applies(self, problem: Problem) -> bool:
        """Whether any service with requests and a path survives any site."""
        return any(
            problem.service_of(demand).survives_any_site
            for demand in problem.demands
            if demand.rate_milli_rps and problem.paths_of(demand.id)
        )

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Flows that say there is room for calls exactly when any of them together have room (Hall 1935, Gale 1957).

        For a site and any calls that would move: these, and what stays on all options that one of them may move to, are
        at most what those options answer. Where there are too many groups of calls, alike ones count as one that may
        only move to what all of them may: then the rows ask for more than the promise.
        """
        beside = _Beside(problem)
        for site, members in crowds(problem):
            first, *others = members
            calls = dict(first.calls)
            for group in others:
                for path, brings in group.calls.items():
                    calls[path] = calls.get(path, 0) + brings
            refuge = sorted(frozenset[str]().union(*(group.refuge for group in members)))
            for option in refuge:
                for path, brings in beside.of(site, option):
                    calls[path] = calls.get(path, 0) + brings
            answers = ((name, -WHOLE_PERMILLE * problem.option(name).capacity_milli_rps) for name in refuge)
            services = sorted(frozenset[str]().union(*(group.services for group in members)))
            place = min(group.place for group in members)
            shares = tuple((path, brings) for path, brings in calls.items() if brings)
            form.add(Flow(self.id, place, shares, tuple(answers), highest=0, services=tuple(services)))

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Take each site away, and pour what it served into the room that is left: the highest priority first."""
        for loss in losses(plan, problem):
            left = Pouring(loss.room)
            for service in sorted(
                map(problem.policy.service, loss.calls), key=lambda each: (-each.priority, each.name)
            ):
                if service.availability and plan.level(service.name) <= len(service.degrade):
                    calls = loss.calls[service.name]
                    asked = sum(calls.values())
                    placed = sum(left.pour(amount, refuge) for refuge, amount in calls.items())
                    if asked - placed:
                        subject = f"{service.name} without {loss.site}"
                        yield Violation(self.id, subject, placed, asked, service.availability.place)

    def explain(self, violation: Violation) -> Finding:
        """How much would have to move, and how much could."""
        message = (
            f"{violation.subject} has room elsewhere for {calls_per_second(violation.measured)} "
            f"of the {calls_per_second(violation.limit)} that the site serves"
        )
        hint = "allow the stages' models at more sites, give these more nodes, or raise the ceiling"
        return violation.finding(self.finding_id, message, hint)


class _Beside:
    """What stays when a site is lost."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._sites: dict[str, frozenset[str]] = {}
        self._known: dict[tuple[str, str], list[tuple[str, int]]] = {}

    def of(self, site: str, option: str) -> Sequence[tuple[str, int]]:
        """What a permille of each path that avoids a site brings an option, in millionths of a call a second."""
        if (site, option) not in self._known:
            stages = brought(self._problem).get(option, ())
            self._known[site, option] = [each for each in stages if site not in self._there(each[0])]
        return self._known[site, option]

    def _there(self, path: str) -> frozenset[str]:
        if path not in self._sites:
            self._sites[path] = sites(self._problem, self._problem.path(path))
        return self._sites[path]
