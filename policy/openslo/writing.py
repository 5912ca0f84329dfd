"""A policy's latency objectives as OpenSLO v1, in the form that is read back as the same objectives."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import yaml

from policy.findings import Finding, Level
from policy.openslo.keeping import FIRST, LATENCY, SOURCE
from policy.openslo.parts import API_VERSION
from policy.resolved import AccuracyObjective, AvailabilityObjective, LatencyObjective, Policy, Service

NAME_CHARACTERS: Final = 40
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"))


class _Dumper(yaml.SafeDumper):
    """Writes numbers in full: `1e-06` is none to every reader."""


def _number(dumper: yaml.SafeDumper, number: Decimal) -> yaml.ScalarNode:
    text = f"{number:f}"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{'float' if '.' in text else 'int'}", text)


_Dumper.add_representer(Decimal, _number)


def written(policy: Policy) -> str:
    """The documents as YAML; empty where nothing can be said in OpenSLO."""
    documents = list(_documents(policy))
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, explicit_start=True) if documents else ""


def left_out(policy: Policy) -> tuple[Finding, ...]:
    """The objectives that OpenSLO has no words for."""
    found = []
    for service in policy.services:
        for what in ("availability", "accuracy"):
            promise: AvailabilityObjective | AccuracyObjective | None = getattr(service, what)
            if promise is not None:
                message = f"the {what} of {service.name} is no share of events, and OpenSLO knows no other objectives"
                found.append(Finding("GW0397", Level.INFO, message, "Gridwright keeps it all the same", promise.place))
        for guaranteed in service.throughput:
            message = f"the throughput of {service.name} is no share of events, and OpenSLO knows no other objectives"
            found.append(Finding("GW0397", Level.INFO, message, "Gridwright keeps it all the same", guaranteed.place))
        for objective in service.latency:
            if _window(objective) is None:
                message = f"a window of {objective.window_s} s is no whole number of minutes, as OpenSLO needs it"
                found.append(Finding("GW0397", Level.WARNING, message, "write `window: 5m`", objective.place))
    return tuple(found)


def _documents(policy: Policy) -> Iterator[dict[str, Any]]:
    number = 0
    for service in policy.services:
        for objective in service.latency:
            number += 1
            window = _window(objective)
            if window is not None:
                yield _document(service, objective, window, number)


def _document(service: Service, objective: LatencyObjective, window: str, number: int) -> dict[str, Any]:
    name = f"{service.name[:NAME_CHARACTERS].replace('.', '-')}-latency-{number}"
    source = {"metric": LATENCY} | {key: name for key, name in _respects(objective) if name}
    what = f"Latency of stage {objective.stage}" if objective.stage else "End-to-end latency"
    what += " to the first response" if objective.of_first else ""
    indicator = {"thresholdMetric": {"metricSource": {"type": SOURCE, "spec": source}}}
    promise = {
        "op": "lte",
        "value": Decimal(objective.below_us) / 1_000_000,
        "target": Decimal(objective.percentile_bp) / 10_000,
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "SLO",
        "metadata": {"name": name},
        "spec": {
            "description": f"{what} of requests from {objective.origin or 'every origin'}, in seconds",
            "service": service.name,
            "indicator": {"metadata": {"name": f"{name}-sli"}, "spec": indicator},
            "timeWindow": [{"duration": window, "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [promise],
        },
    }


def _respects(objective: LatencyObjective) -> tuple[tuple[str, str], ...]:
    """What an objective is meant for, as its source says it; empty texts for all of it."""
    return ("origin", objective.origin), ("stage", objective.stage), ("of", FIRST if objective.of_first else "")


def _window(objective: LatencyObjective) -> str | None:
    """The window in the largest unit that it is a whole number of; None below minutes."""
    for unit_s, unit in _UNITS:
        if objective.window_s and objective.window_s % unit_s == 0:
            return f"{objective.window_s // unit_s}{unit}"
    return None
