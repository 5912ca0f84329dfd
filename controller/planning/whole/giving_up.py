"""What degrading and refusing a service costs, and the least that it costs whatever stands where."""

from typing import Final

from controller.planning.whole.reading import Reading
from controller.planning.whole.rows import Rows
from rules.kernel.formulation import Ladder
from rules.kernel.plan import Degraded, Plan, Unserved
from rules.kernel.problem import WHOLE_PERMILLE, Problem

FREE: Final = ()


def given_up(rows: Rows, at: Reading, service: str) -> int:
    """What a plan pays for a service's level and for what it refuses of it, in millicents an hour."""
    ladder, prices = rows.ladders[service], rows.prices
    refused = sum(prices.unserved.get(demand, 0) * at.unserved.get(demand, 0) for demand in ladder.demands)
    return refused + sum(prices.levels.get(service, FREE)[: at.levels.get(service, 0)])


def least_given_up(rows: Rows, service: str) -> int:
    """The least of that in any plan: demands without a path are refused, and no spread is promised at the top alone."""
    ladder = rows.ladders[service]
    levels = range(rows.tops[service] if service in rows.confined else 0, len(ladder.unserved_permille))
    return min(cost for level in levels if (cost := _at_level(rows, ladder, level)) is not None)


def refusing(rows: Rows, narrow: Problem) -> Plan:
    """Everything refused, with every step taken: where to begin when much has to be, and nothing else was found."""
    services = sorted({demand.service for demand in narrow.demands} & rows.tops.keys())
    return Plan(
        unserved=tuple(sorted(Unserved(demand.id, WHOLE_PERMILLE) for demand in narrow.demands)),
        degraded=tuple(Degraded(service, rows.tops[service]) for service in services),
    )


def _at_level(rows: Rows, ladder: Ladder, level: int) -> int | None:
    """What a level costs where all that has a path is served; None where it lets less be refused than has none."""
    gates, prices = rows.gates, rows.prices
    lost = [d for d in ladder.demands if all(gates.get(path.id, 0) > level for path in rows.usable[d])]
    if lost and ladder.unserved_permille[level] < WHOLE_PERMILLE:
        return None
    refused = WHOLE_PERMILLE * sum(prices.unserved.get(demand, 0) for demand in lost)
    return refused + sum(prices.levels.get(ladder.service, FREE)[:level])
