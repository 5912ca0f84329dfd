"""Standing: where no request may go, nothing stands either, for a model is loaded before anything is asked of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from policy.findings import Finding, Place
from policy.words import counted
from rules.kernel.formulation import Exclusion, Formulation
from rules.kernel.measure import visits
from rules.kernel.plan import Plan, Route
from rules.kernel.problem import WHOLE_PERMILLE, Option, Path, Placement, Problem
from rules.kernel.rule import Excluding, Violation

NONE: Final = 0
"""So many idle instances may stand where nobody's requests may go."""
Against = dict[Place | None, Exclusion]
"""What bars a use, by the clause that asks for it."""
Objection = tuple[Excluding, Violation]
"""What a rule has against a use."""


class Standing:
    """An instance stands only where rules let at least one use have it: a stage that calls its model, for an origin.

    All origins count that services name, whether anything is asked there now or not; so a model that several services
    call may stand where one of them may use it. What no service calls is nobody's. The rules that are asked are those
    on compliance that bar uses, and `dedication`, by which `separation` goes. The check counts idle instances only: of
    one that requests go to these rules tell themselves.
    """

    id = "standing"
    finding_id = "GW1087"
    always = False
    of_paths = False

    def __init__(self, judging: tuple[Excluding, ...]) -> None:
        self._judging = judging

    def applies(self, problem: Problem) -> bool:
        """Whether any of the rules that are asked has something to say."""
        return any(rule.applies(problem) for rule in self._judging)

    def constrain(self, form: Formulation, problem: Problem) -> None:
        """Exclude the options that are barred from every use."""
        for row in self.exclusions(problem):
            form.add(row)

    def exclusions(self, problem: Problem) -> Iterator[Exclusion]:
        """Those options, once for each clause against the use that the fewest are against; of equals the first."""
        settings: defaultdict[Placement, list[str]] = defaultdict(list)
        for option in problem.options:
            settings[option.placement].append(option.id)
        judged = tuple(problem.option(min(ids)) for ids in settings.values())
        models = {option.placement.model for option in judged}
        calling = {each.name for each in problem.policy.services if any(s.model in models for s in each.stages)}
        demands = tuple(demand for demand in problem.expected if demand.service in calling)
        asked = replace(problem, demands=demands, options=judged, paths=())
        against: defaultdict[tuple[str, str, str], Against] = defaultdict(dict)
        for row in (row for rule in self._judging if rule.applies(asked) for row in rule.exclusions(asked)):
            against[row.option, row.demand, row.stage].setdefault(row.place, row)
        uses: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for demand, stage, option in asked.uses() if against else ():
            uses[option.id].append((option.id, demand.id, stage.name))
        for name, own in uses.items():
            if all(use in against for use in own):
                least = min(own, key=lambda use: (len(against[use]), use))
                for row in against[least].values():
                    for each in settings[problem.option(name).placement]:
                        yield Exclusion(self.id, row.reason, row.place, each, behind=row.rule)

    def check(self, plan: Plan, problem: Problem) -> Iterable[Violation]:
        """Send requests to each idle instance on trial, from all origins, and see whether some may go there."""
        busy = {visit.option.id for visit in visits(plan, problem)}
        known = {option.id: option for option in problem.options}
        idle: Counter[str] = Counter()
        for item in plan.instances:
            if item.count and item.option in known and item.option not in busy:
                idle[item.option] += item.count
        refused = self._refused(problem, [known[name] for name in idle])
        for name, count in idle.items():
            if name in refused:
                rule, violation = refused[name]
                yield Violation(self.id, name, count, NONE, violation.place, rule.explain(violation).message)

    def _refused(self, problem: Problem, options: Iterable[Option]) -> dict[str, Objection]:
        """Of the options at which no request may arrive, what is against the use that the least is against."""
        calls = {each.name: [stage.model for stage in each.stages] for each in problem.policy.services}
        paths = tuple(
            Path(f"{demand.id} on {option.id}", demand.id, (option.id,) * len(calls[demand.service]), ())
            for option in options
            for demand in problem.expected
            if option.placement.model in calls[demand.service]
        )
        trial = replace(problem, demands=problem.expected, paths=paths)
        sent = Plan(routes=tuple(Route(path.id, WHOLE_PERMILLE) for path in paths))
        found: defaultdict[str, list[Objection]] = defaultdict(list)
        for rule in self._judging if paths else ():
            for violation in rule.check(sent, trial):
                found[violation.subject].append((rule, violation))
        arriving: defaultdict[str, list[str]] = defaultdict(list)
        for visit in visits(sent, trial) if paths else ():
            if visit.stage.model == visit.option.placement.model:
                arriving[visit.option.id].append(str(visit))
        return {
            option: min(found[min(own, key=lambda use: (len(found[use]), use))], key=_clause)
            for option, own in arriving.items()
            if all(use in found for use in own)
        }

    def explain(self, violation: Violation) -> Finding:
        """How many stand there, and why no request may come."""
        message = (
            f"{violation.subject}: {counted(violation.measured, 'instance')} would stand where no request may go: "
            f"{violation.quantity}"
        )
        hint = "let some stage that calls the model be served there, or ask for fewer instances of it"
        return violation.finding(self.finding_id, message, hint)


def _clause(objection: Objection) -> tuple[str, str]:
    rule, violation = objection
    return str(violation.place), rule.id
