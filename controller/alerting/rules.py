"""Recording and alerting rules for the objectives of a policy, from what the controller tells Prometheus."""

from collections.abc import Iterator
from typing import Any, Final

import yaml

from controller.alerting.availability import too_few_sites
from controller.alerting.windows import BurnRate, burn_rates
from controller.telemetry.objectives import RUNS, SLOW_RUNS, seconds_text
from policy.resolved import LatencyObjective, Policy, Service

BASIS_POINTS: Final = 10_000
ALERT: Final = "GridwrightLatencyBudgetBurn"
EVERY: Final = "30s"
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))

Rule = dict[str, Any]


def rule_file(policy: Policy) -> str:
    """The rules as Prometheus reads them; a file without groups where nothing is promised."""
    budgets = (_group(service, objective, index) for service, objective, index in _objectives(policy))
    groups = [*budgets, *too_few_sites(policy)]
    return yaml.safe_dump({"groups": groups}, sort_keys=False, width=1_000)


def _objectives(policy: Policy) -> Iterator[tuple[Service, LatencyObjective, int]]:
    for service in policy.services:
        for index, objective in enumerate(service.latency, start=1):
            if not objective.stage and not objective.of_first:  # what is counted are whole runs
                yield service, objective, index


def _group(service: Service, objective: LatencyObjective, index: int) -> Rule:
    rates = burn_rates(objective.window_s, _budget(objective))
    windows_s = sorted({each for rate in rates for each in (rate.short_s, rate.long_s)})
    labels = _labels(service, objective, index)
    records = [_record(service, objective, labels, window_s) for window_s in windows_s]
    alerts = [_alert(service, objective, labels, rate) for rate in rates]
    return {"name": f"gridwright-{service.name}-latency-{index}", "interval": EVERY, "rules": [*records, *alerts]}


def _record(service: Service, objective: LatencyObjective, labels: dict[str, str], window_s: int) -> Rule:
    """The part of the runs that was slow, by origin."""
    chosen = _selector(service, objective)
    slow, runs = (f"sum by (origin) (rate({name}{chosen}[{promql(window_s)}]))" for name in (SLOW_RUNS, RUNS))
    return {"record": _recorded(window_s), "expr": f"{slow} / {runs}", "labels": labels}


def _alert(service: Service, objective: LatencyObjective, labels: dict[str, str], rate: BurnRate) -> Rule:
    chosen = "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + _origin(objective) + "}"
    limit = f"{rate.factor:g} * {_budget(objective):g}"
    both = (f"{_recorded(each)}{chosen} > {limit}" for each in dict.fromkeys((rate.short_s, rate.long_s)))
    percent = f"{objective.percentile_bp / 100:g} %"
    promise = f"{percent} of the runs of {service.name} within {seconds_text(objective.below_us)} s"
    return {
        "alert": ALERT,
        "expr": " and ".join(both),
        "labels": {**labels, "severity": rate.severity, "long": promql(rate.long_s)},
        "annotations": {
            "summary": f"{promise}: over {promql(rate.long_s)} too many from {{{{ $labels.origin }}}} are slower",
            "description": f"The error budget of {promql(objective.window_s)} burns at {rate.factor:g} times the rate "
            "that would use it up exactly; {{ $value | humanizePercentage }} of the runs are slow.",
            "clause": str(objective.place).replace("{{", "{ {"),  # a template to Prometheus
        },
    }


def _budget(objective: LatencyObjective) -> float:
    """The part of the runs that may be slow."""
    return (BASIS_POINTS - objective.percentile_bp) / BASIS_POINTS


def _labels(service: Service, objective: LatencyObjective, index: int) -> dict[str, str]:
    """What tells an objective apart from the others of its service; the origin comes from the runs."""
    return {
        "service": service.name,
        "objective": str(index),
        "percentile": f"{objective.percentile_bp / 100:g}",
        "below": seconds_text(objective.below_us),
        "budget": promql(objective.window_s),
    }


def _selector(service: Service, objective: LatencyObjective) -> str:
    return f'{{service="{service.name}", below="{seconds_text(objective.below_us)}"{_origin(objective)}}}'


def _origin(objective: LatencyObjective) -> str:
    return f', origin="{objective.origin}"' if objective.origin else ""


def _recorded(window_s: int) -> str:
    return f"gridwright:slow_runs:ratio_rate{promql(window_s)}"


def promql(seconds: int) -> str:
    """A duration in the largest unit that it is a whole number of."""
    return next(f"{seconds // unit_s}{unit}" for unit_s, unit in _UNITS if seconds % unit_s == 0)
