"""An alert for a stage whose model stands at fewer sites than its service promises.

It goes by what the plan asks for. A model may stand for other services as well, so that enough sites are no proof that
the promise is kept; too few are a proof that it is not. Which nodes instances stand on is in no metric.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from controller.telemetry.present import ASLEEP, PLAN_INSTANCES, READY
from policy.resolved import AvailabilityObjective, Policy, Service, Stage

ALERT: Final = "GridwrightTooFewSites"
SETTLED: Final = "5m"
"""For so long; a fleet on its way from plan to plan may stand at fewer for a moment."""


def too_few_sites(policy: Policy) -> Iterator[dict[str, Any]]:
    """A group of rules for each service that promises more than one site."""
    for service in policy.services:
        promised = service.availability
        if promised is not None and promised.sites > 1:
            rules = [_alert(policy, service, stage, promised) for stage in service.stages]
            yield {"name": f"gridwright-{service.name}-availability", "rules": rules}


def _alert(policy: Policy, service: Service, stage: Stage, promised: AvailabilityObjective) -> dict[str, Any]:
    pools: defaultdict[str, list[str]] = defaultdict(list)
    for pool in policy.pools:
        pools[pool.site].append(pool.name)
    stands = " + ".join(_stands(stage.model, pools[site]) for site in sorted(pools)) or "vector(0)"
    # Without a controller that is ready nothing is known, and what is not known is no zero.
    known = f"on () (max({READY}) == 1)"
    # Of a service that sleeps nothing is to stand.
    awake = f' unless on () (max({ASLEEP}{{service="{service.name}"}}) == 1)' if service.scale_to_zero else ""
    return {
        "alert": ALERT,
        "expr": f"({stands} < {promised.sites}) and {known}{awake}",
        "for": SETTLED,
        "labels": {"service": service.name, "stage": stage.name, "severity": "ticket"},
        "annotations": {
            "summary": f"{stage.model} stands at {{{{ $value }}}} sites; {service.name} promises {promised.sites}",
            "clause": str(promised.place).replace("{{", "{ {"),
        },
    }


def _stands(model: str, pools: list[str]) -> str:
    """1 where any of the pools of a site has an instance, else 0."""
    named = "|".join(pool.replace(".", r"\\.") for pool in sorted(pools))
    return f'((sum({PLAN_INSTANCES}{{model="{model}", pool=~"{named}"}}) or vector(0)) > bool 0)'
