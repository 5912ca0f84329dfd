"""Paths: an option for each stage of a demand, with the predicted latency of the whole."""

import itertools
import math
from collections.abc import Mapping
from functools import partial
from typing import Final

from controller.performance.queueing import StageLatency, stage_latency
from controller.performance.tail import chains, leg, path_latency_us
from controller.planning.options import Speeds
from policy.resolved import Link, Policy, Service, Stage
from rules.kernel.formulation import Exclusion
from rules.kernel.problem import Demand, Option, Path

MOST_PATHS: Final = 4_000
"""Paths a demand at the most. Beyond, the options with the longest stage latency are left out first."""

Use = tuple[str, str, str]
"""(demand, stage, option)"""


def hop_us(policy: Policy, origin: str, site: str, payload_bytes: int) -> int | None:
    """Out and back between an origin and a site with a payload on the way out; None when no link joins them."""
    if origin == site:
        return 0
    link = _link(policy, origin, site)
    return None if link is None else link.rtt_us + payload_bytes * 8_000 // link.bandwidth_kbps


def _link(policy: Policy, a: str, b: str) -> Link | None:
    return next((link for link in policy.links if {link.a, link.b} == {a, b}), None)


def unreachable(policy: Policy, demands: tuple[Demand, ...], options: tuple[Option, ...]) -> tuple[Exclusion, ...]:
    """An exclusion for each option at a site that no link joins with a demand's origin."""
    return tuple(
        Exclusion("network", f"no Link joins {demand.origin} and {site}", None, option.id, demand.id, stage.name)
        for demand in demands
        for stage in policy.service(demand.service).stages
        for option in options
        if option.placement.model == stage.model
        and hop_us(policy, demand.origin, site := policy.pool(option.placement.pool).site, 0) is None
    )


def paths(
    policy: Policy, demand: Demand, options: tuple[Option, ...], barred: frozenset[Use], speed: Speeds
) -> tuple[Path, ...]:
    """All paths of a demand over the options that are not barred for it."""
    service = policy.service(demand.service)
    latency = {
        (i, option.id): _stage_latency(policy, stage, option, speed)
        for i, stage in enumerate(service.stages)
        for option in options
        if option.placement.model == stage.model and (demand.id, stage.name, option.id) not in barred
    }
    by_id = {option.id: option for option in options}
    legs = {
        (i, name): leg(stage, _network_us(policy, demand, service.stages[i], by_id[name]))
        for (i, name), stage in latency.items()
    }
    ways = chains(service.stages)
    return tuple(
        Path(
            id=f"{demand.id}: {' | '.join(chosen)}",
            demand=demand.id,
            options=chosen,
            latency_us=path_latency_us(ways, [legs[i, name] for i, name in enumerate(chosen)]),
        )
        for chosen in itertools.product(*_within_limit(service, latency))
    )


def _stage_latency(policy: Policy, stage: Stage, option: Option, speed: Speeds) -> StageLatency:
    device = policy.pool(option.placement.pool).device
    batch_us = partial(speed.batch_us, option.placement.model, option.placement.variant, device)
    return stage_latency(batch_us, option.max_batch, stage.fanout, option.load_permille)


def _network_us(policy: Policy, demand: Demand, stage: Stage, option: Option) -> int:
    site = policy.pool(option.placement.pool).site
    hop = hop_us(policy, demand.origin, site, stage.payload_bytes * stage.fanout)
    if hop is None:
        raise ValueError(f"{demand.id} cannot reach {option.id}: bar what `unreachable` names before building paths")
    return hop


def _within_limit(service: Service, stage_of: Mapping[tuple[int, str], StageLatency]) -> list[list[str]]:
    def fastest_first(at: int) -> list[str]:
        here = ((latency.quantile_us(9900), option) for (i, option), latency in stage_of.items() if i == at)
        return [option for _, option in sorted(here)]

    choices = [fastest_first(at) for at in range(len(service.stages))]
    while math.prod(map(len, choices)) > MOST_PATHS:
        longest = max(range(len(choices)), key=lambda i: len(choices[i]))
        choices[longest].pop()
    return choices
