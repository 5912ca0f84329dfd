"""A fleet of any size to be explained, as policy documents, and ways to ask too much of it.

Sites lie on a line, two pools each; every service is asked for at two sites near each other, every third handles
protected data that half of the sites may see. More than a third of the nodes are needed.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import yaml

from collectors.evidence.records import Evidence
from controller.decision import State
from controller.documents import observe
from controller.planning.build import Built, build, write
from controller.planning.objective import prices
from controller.planning.whole.rounds import plan_fleet
from policy.resolved import AvailabilityObjective, Ceiling, LatencyObjective, Policy, Service
from policy.source import load
from rules.kernel.plan import Plan

NOW: Final = datetime(2026, 5, 4, 12, tzinfo=UTC)
NODES_A_POOL: Final = 50
NODES_A_SERVICE: Final = 25
RTT_STEP_MS: Final = 6
DEVICES: Final = (("t4", 1.0, 0.5, 16), ("l4", 0.6, 0.8, 24), ("a10", 0.45, 1.0, 24))
"""Name, time of a batch over that on a t4, price in $/h, memory in GiB."""
SHARE: Final = ("20%", "34%", "12%", "50%")
"""What an instance of a model takes of a device, model by model."""
HALF: Final = SHARE.index("50%")
RATE_RPS: Final = 3000
"""Requests a second of a service."""


def policy(nodes: int) -> Policy:
    """A policy that can be kept."""
    with tempfile.TemporaryDirectory() as folder:
        for name, documents in _documents(nodes).items():
            (Path(folder) / f"{name}.yaml").write_text(yaml.safe_dump_all(documents), encoding="utf-8")
        loaded = load(Path(folder))
    if loaded.policy is None:
        raise SystemExit(f"error: the generated policy is broken: {loaded.findings[0]}\nnext:  mend the generator")
    return loaded.policy


def built(asked: Policy) -> Built:
    """The problem of a policy while nothing runs."""
    until = NOW + timedelta(days=90)
    evidence = tuple(
        Evidence(f"pci-{s.name}", "site", s.name, "pci-dss", (4, 0), "qsa", NOW - timedelta(days=1), until, s.place)
        for s in asked.sites[::2]
    )
    return build(asked, observe(asked, evidence, NOW), State(), NOW)


def of_the_engine(instance: Built) -> Plan:
    """The plan of the engine for whole fleets, from nothing. Exits when there is none."""
    form = write(instance.problem)
    form.add(prices(instance.problem, Plan()))
    plan = plan_fleet(form, instance.problem, Plan()).plan
    if plan is None:
        raise SystemExit("error: no plan of the generated fleet was found\nnext:  take another number of nodes")
    return plan


def strained(asked: Policy) -> Iterator[tuple[str, Policy]]:
    """The policy with one thing asked that cannot be had, in each of several ways."""
    protected, *others = sorted(asked.services, key=lambda service: not service.data_classes)
    latency = LatencyObjective(9900, 9_000, 300, protected.latency[0].place)
    yield "latency", _with_service(asked, replace(protected, latency=(latency,)))
    sites = AvailabilityObjective(len(asked.sites), len(asked.sites), protected.place)
    yield "availability", _with_service(asked, replace(protected, availability=sites))
    busy = replace(protected, expected_rate_milli_rps=protected.expected_rate_milli_rps * len(others) * 3)
    yield "capacity", _with_service(asked, busy)
    nodes = sum(pool.nodes for pool in asked.pools)
    ceiling = Ceiling("", nodes * 5_000, asked.cost.place)
    yield "budget", replace(asked, cost=replace(asked.cost, ceilings=(ceiling,)))
    yield "whole nodes", half_a_node_short(asked)


def half_a_node_short(asked: Policy) -> Policy:
    """A service that only one pool serves in time, which needs 4.6 instances; two fit on a node, 2.5 nodes may be paid.

    Over pools 2.3 nodes would do, but instances and nodes are whole: it takes five and three.
    """
    plain = (s for s in asked.services if not s.data_classes and not s.availability)
    service = next(s for s in plain if int(s.name.split("-")[1]) % len(SHARE) == HALF)
    service = replace(service, origins=(replace(service.origins[0], share_permille=1000),))
    whole = built(_with_service(asked, service)).whole
    paths = [path for path in whole.paths if whole.demand(path.demand).service == service.name]
    fastest: dict[str, int] = {}
    for path in paths:
        pool = whole.option(path.options[0]).placement.pool
        fastest[pool] = min(fastest.get(pool, path.latency_at_us(9900)), path.latency_at_us(9900))
    best, next_best = sorted(fastest, key=lambda pool: fastest[pool])[:2]
    below_us = (fastest[best] + fastest[next_best]) // 2
    options = [whole.option(path.options[0]) for path in paths if path.latency_at_us(9900) <= below_us]
    demand = next(d for d in whole.demands if d.service == service.name)
    answers = max(option.capacity_milli_rps for option in options)
    rate = service.expected_rate_milli_rps * answers * 46 // (10 * demand.rate_milli_rps)
    pool = asked.pool(best)
    place = replace(asked.cost.place, line=asked.cost.place.line + 1)
    ceiling = Ceiling(pool.site, pool.price_millicents_per_hour * 5 // 2, place)
    slow = LatencyObjective(9900, below_us, 300, service.latency[0].place)
    changed = _with_service(asked, replace(service, expected_rate_milli_rps=rate, latency=(slow,)))
    return replace(changed, cost=replace(asked.cost, ceilings=(*asked.cost.ceilings, ceiling)))


def _with_service(asked: Policy, service: Service) -> Policy:
    return replace(asked, services=tuple(service if s.name == service.name else s for s in asked.services))


def _documents(nodes: int) -> dict[str, list[dict]]:
    pools = max(8, round(nodes / NODES_A_POOL))
    size = max(1, round(nodes / pools))
    sites = [f"site-{at}" for at in range((pools + 1) // 2)]
    services = max(2, round(nodes / NODES_A_SERVICE))
    return {
        "sites": [_document("Site", name, {"jurisdictions": ["EU"]}) for name in sites],
        "links": [_link(a, b, sites) for b in range(len(sites)) for a in range(b)],
        "pools": [_pool(at, size, sites[at // 2]) for at in range(pools)],
        "devices": [_device(name, factor, services) for name, factor, *_ in DEVICES],
        "models": [_model(at) for at in range(services)],
        "services": [_service(at, sites, size) for at in range(services)],
        "compliance": [
            _document(
                "ComplianceProfile",
                "protected",
                {
                    "appliesTo": {"data": {"classes": ["cardholder"]}},
                    "certifications": {"allOf": [{"standard": "pci-dss", "version": ">=4.0"}]},
                },
            )
        ],
        "cost": [
            _document("CostPolicy", "ceilings", {"ceilings": [{"below": f"${nodes}.00/h"}], "start": "$0.02"}),
        ],
    }


def _document(kind: str, name: str, spec: dict) -> dict:
    return {"apiVersion": "gridwright.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def _link(a: int, b: int, sites: list[str]) -> dict:
    spec = {"between": [sites[a], sites[b]], "rtt": f"{RTT_STEP_MS * (b - a)}ms", "bandwidth": "1Gbit/s"}
    return _document("Link", f"link-{a}-{b}", {**spec, "encryption": "mtls", "transit": ["EU"]})


def _pool(at: int, size: int, site: str) -> dict:
    name, _, price, memory = DEVICES[at % len(DEVICES)]
    spec = {"site": site, "device": name, "nodes": size, "memory": f"{memory}GiB", "price": f"${price:.2f}/h"}
    return _document("Pool", f"pool-{at}", {**spec, "purchase": "on-demand"})


def _device(name: str, factor: float, services: int) -> dict:
    times = [(1, 10.0), (2, 16.0), (4, 26.0)]
    variants = [
        {
            "model": f"model-{at}",
            "variant": "fp16",
            "serviceTime": [{"batch": b, "time": f"{round(1000 * ms * factor * (1 + at % 3))}us"} for b, ms in times],
            "share": SHARE[at % len(SHARE)],
            "load": "2s",
        }
        for at in range(services)
    ]
    return _document("DeviceProfile", name, {"variants": variants})


def _model(at: int) -> dict:
    variant = {"name": "fp16", "digest": f"sha256:{at:064x}", "precision": "fp16"}
    return _document(
        "Model", f"model-{at}", {"variants": [{**variant, "memory": f"{1 + at % 4}GiB", "accuracy": "95%"}]}
    )


def _service(at: int, sites: list[str], size: int) -> dict:
    home = at % len(sites)
    origins = [{"site": sites[home], "share": "60%"}, {"site": sites[(home + 1) % len(sites)], "share": "40%"}]
    spec = {
        "origins": origins,
        "stages": [{"name": "infer", "model": f"model-{at}", "input": "20KiB"}],
        "demand": {"rate": f"{RATE_RPS * size // NODES_A_POOL} req/s"},
        "objectives": [{"latency": {"percentile": 99, "below": f"{90 + 30 * (at % 3)}ms", "window": "5m"}}],
        "degrade": [{"shed": "20%"}],
        "priority": 10 * (1 + at % 5),
    }
    if at % 4 == 0:
        spec["objectives"].append({"availability": {"sites": 2, "nodes": 3}})
    if at % 3 == 0:
        spec["data"] = {"classes": ["cardholder"]}
    return _document("Service", f"service-{at}", spec)
