"""What may not serve whom: the uses that are barred, which planning needs, and why they are, for whoever asks.

Rules judge an option by its placement and never by its setting (a test holds them to that). So one option of each
placement is judged for all of them, and reasons, of which a large fleet has some hundred thousand, are written down
only when somebody asks.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from controller.planning.barring import through
from controller.planning.network import reachable
from controller.planning.paths import Uses
from rules.catalogue import EXCLUDING
from rules.kernel.allocation import Allocation
from rules.kernel.formulation import Exclusion
from rules.kernel.problem import Placement, Problem
from rules.kernel.rule import Excluding
from rules.unit_cost import UnitCost


def exclusions_of(problem: Problem, rules: tuple[Excluding, ...] = EXCLUDING) -> tuple[Exclusion, ...]:
    """What rules exclude of a problem's options and paths, each by itself."""
    return tuple(row for rule in rules if rule.applies(problem) for row in rule.exclusions(problem))


def barred(problem: Problem) -> Uses:
    """The uses that rules forbid."""
    settings: defaultdict[Placement, list[str]] = defaultdict(list)
    for option in problem.options:
        settings[option.placement].append(option.id)
    judged = {ids[0]: ids for ids in settings.values()}
    rows = exclusions_of(replace(problem, options=tuple(problem.option(name) for name in judged)))
    found: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for row in rows:
        if row.demand and row.option:
            found[row.demand, row.stage][row.option] = None
    known: dict[tuple[str, ...], frozenset[str]] = {}

    def all_alike(names: tuple[str, ...]) -> frozenset[str]:
        if names not in known:
            known[names] = frozenset(option for name in names for option in judged[name])
        return known[names]

    return {use: all_alike(tuple(names)) for use, names in found.items()}


def out_of_reach(problem: Problem) -> Uses:
    """The uses of options at sites that no link joins with the demand's origin."""
    at_site: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for option in problem.options:
        at_site[option.placement.model, problem.site_of(option)].append(option.id)
    away = {origin: _away(problem, origin) for origin in {demand.origin for demand in problem.demands}}
    uses = {(stage.model, d.origin) for d in problem.demands for stage in problem.service_of(d).stages}
    options = {
        (model, origin): frozenset(name for site in away[origin] for name in at_site.get((model, site), ()))
        for model, origin in uses
    }
    return {
        (demand.id, stage.name): options[stage.model, demand.origin]
        for demand in problem.demands
        for stage in problem.service_of(demand).stages
    }


def _away(problem: Problem, origin: str) -> tuple[str, ...]:
    """The sites that no link joins with an origin."""
    return tuple(site.name for site in problem.policy.sites if not reachable(problem.policy, origin, site.name))


def without_server(problem: Problem) -> tuple[Exclusion, ...]:
    """The options of pools of which no node is usable."""
    present = {node.pool for node in problem.nodes}
    return tuple(
        Exclusion("inventory", f"the server of pool {option.placement.pool} does not answer", None, option.id)
        for option in problem.options
        if option.placement.pool not in present
    )


def unreachable(problem: Problem) -> Iterator[Exclusion]:
    """An exclusion for each option at a site that no link joins with a demand's origin."""
    for demand in problem.demands:
        away = {site: f"no Link joins {demand.origin} and {site}" for site in _away(problem, demand.origin)}
        for stage in problem.service_of(demand).stages if away else ():
            for option in problem.options_of(stage.model):
                reason = away.get(problem.site_of(option))
                if reason:
                    yield Exclusion("network", reason, None, option.id, demand.id, stage.name)


def slow_uses(slow: Iterable[Exclusion], problem: Problem) -> Iterator[Exclusion]:
    """One exclusion for each use all of whose paths are excluded: what a person asks about is the option.

    It is that of the fastest path; where that is too dear, that of the cheapest of the paths that are.
    """
    why = {row.path: row for row in slow}
    allocation = Allocation(problem)
    for (demand, stage_name, option), ids in through(problem).items():
        if all(path_id in why for path_id in ids):
            best = min(ids, key=lambda i: problem.path(i).latency_us[-1][1])
            told = "its best path"
            if why[best].rule == UnitCost.id:
                dear = (i for i in ids if why[i].rule == UnitCost.id)
                best = min(dear, key=lambda i: allocation.of_a_request(problem.path(i)))
                told = "its cheapest path"
            row = why[best]
            yield Exclusion(row.rule, f"{told}: {row.reason}", row.place, option, demand, stage_name)
