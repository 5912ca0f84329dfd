"""The policy of a generated fleet in a cluster, as documents: sites in a ring, services of one or two stages.

Devices are an embedded module and a card of twice its speed. A service has its requests at four neighbouring sites, and
may be served at these and at their neighbours. Rates are so large that nearly every node is needed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import yaml

API: Final = "gridwright.dev/v1alpha1"
DEVICES: Final = {"module": 1.0, "card": 0.5}
"""How long an execution takes there, of what it takes on a module."""
BATCHES: Final = {1: 1.0, 2: 1.8, 4: 3.2, 8: 5.6}
ORIGINS: Final = 4
MODELS: Final = 12
SERVICES: Final = 30
FULL: Final = 0.58
"""What is asked for, of what all nodes can do one request after the other."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ClusterPolicy:
    """Documents by kind and name, and the requests a second by `ORIGIN/SERVICE/STAGE` of first stages."""

    documents: tuple[Document, ...]
    rates: dict[str, float]
    models: tuple[str, ...]

    def text(self) -> str:
        """All of it as one file."""
        return yaml.safe_dump_all(self.documents, sort_keys=False)


def cluster_policy(nodes: int, sites: int, interval_s: int, stale_after_s: int, full: float = FULL) -> ClusterPolicy:
    """A policy for so many nodes, equally many in each of two pools of each site; about `full` of them is asked for."""
    a_pool = max(1, nodes // (2 * sites))
    names = [f"site-{at:02}" for at in range(sites)]
    services = list(_services(names, full * a_pool * 2 * sites))
    documents = [
        *(_document("Site", name, jurisdictions=["EU"]) for name in names),
        *_links(names),
        *(_pool(name, device, a_pool) for name in names for device in DEVICES),
        *(_model(at) for at in range(MODELS)),
        *(_device(device) for device in DEVICES),
        *services,
        _document("ScalingPolicy", "pace", interval=f"{interval_s}s", staleAfter=f"{stale_after_s}s", headroom="20%"),
    ]
    rates = {
        f"{origin['site']}/{service['metadata']['name']}/{service['spec']['stages'][0]['name']}": asked / ORIGINS
        for service in services
        for origin in service["spec"]["origins"]
        if (asked := float(service["spec"]["demand"]["rate"].split()[0]))
    }
    return ClusterPolicy(tuple(documents), rates, tuple(f"{_name(at)}--int8" for at in range(MODELS)))


def _document(kind: str, name: str, **spec: Any) -> Document:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _links(names: list[str]) -> Iterator[Document]:
    """Each site with the next, and the last with the first."""
    for name, other in dict.fromkeys((min(pair), max(pair)) for pair in pairwise((*names, names[0]))):
        if name == other:
            return  # one site has no links
        how = {"rtt": "8ms", "bandwidth": "10Gbit/s", "encryption": "mtls", "transit": ["EU"]}
        yield _document("Link", f"{name}-{other}", between=[name, other], **how)


def _pool(site: str, device: str, nodes: int) -> Document:
    price = {"module": "$0.05/h", "card": "$0.08/h"}[device]
    what = {"site": site, "device": device, "nodes": nodes, "memory": "16GiB", "price": price, "purchase": "owned"}
    return _document("Pool", f"{site}-{device}", **what)


def _name(at: int) -> str:
    return f"model-{at:02}"


def _execution_ms(at: int) -> float:
    return 8.0 + 2.0 * at


def _model(at: int) -> Document:
    digest = f"sha256:{at:064x}"
    variant = {"name": "int8", "digest": digest, "precision": "int8", "memory": f"{2 + at % 4}GiB", "accuracy": "95%"}
    return _document("Model", _name(at), variants=[variant])


def _device(device: str) -> Document:
    variants = [
        {
            "model": _name(at),
            "variant": "int8",
            "serviceTime": [
                {"batch": batch, "time": f"{round(1000 * _execution_ms(at) * DEVICES[device] * more)}us"}
                for batch, more in BATCHES.items()
            ],
            "share": f"{30 + 5 * (at % 4)}%",
            "load": "1s",
        }
        for at in range(MODELS)
    ]
    return _document("DeviceProfile", device, variants=variants)


def _services(sites: list[str], busy_nodes: float) -> Iterator[Document]:
    """Those of which every third has two stages. Each asks for an equal part of all nodes."""
    for at in range(SERVICES):
        used = [at % MODELS, *([(at + 5) % MODELS] if at % 3 == 0 else [])]
        origins = [sites[(at * 2 + step) % len(sites)] for step in range(min(ORIGINS, len(sites)))]
        stages = [
            {
                "name": f"stage-{step}",
                "model": _name(model),
                "input": "20KiB",
                **({"after": ["stage-0"]} if step else {}),
            }
            for step, model in enumerate(used)
        ]
        # Nodes that one request a second takes, on devices that are half of one kind and half of the other.
        load = sum(_execution_ms(model) / 1000 * 0.75 * (0.30 + 0.05 * (model % 4)) for model in used)
        rate = max(1, round(busy_nodes / SERVICES / load))
        yield _document(
            "Service",
            f"service-{at:02}",
            origins=[{"site": site, "share": f"{100 // len(origins)}%"} for site in origins],
            stages=stages,
            demand={"rate": f"{rate} req/s"},
            objectives=[{"latency": {"percentile": 99, "below": "400ms", "window": "5m"}}],
            priority=50,
        )
