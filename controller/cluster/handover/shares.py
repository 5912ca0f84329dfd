"""What each cluster is to have of a plan: the objects of its pools, with the models that servers start with."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collectors.triton_names import triton_name
from controller.cluster.handover.catalogue import no_cluster
from controller.cluster.handover.settings import HandoverSettings, Models
from controller.cluster.servers.catalogue import unknown_device
from controller.cluster.servers.server import Manifest, server
from controller.cluster.servers.settings import ServerSettings
from controller.cluster.servers.workloads import surroundings
from controller.fleet import Fleet
from policy.findings import Finding
from policy.resolved import Pool

LOADED = Mapping[str, Sequence[str]]
"""By node, what its server holds, as Triton calls it."""


@dataclass(frozen=True, slots=True)
class Share:
    """A pool of a cluster: its namespace first, then what stands in it."""

    cluster: str
    pool: str
    namespace: Manifest
    manifests: tuple[Manifest, ...]

    @property
    def name(self) -> str:
        """What objects about the share are called, which is what its namespace is called."""
        name: str = self.namespace["metadata"]["name"]
        return name


@dataclass(frozen=True, slots=True)
class Shares:
    """All that is handed over, and why some of it cannot be."""

    shares: tuple[Share, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def clusters(self) -> tuple[str, ...]:
        """Every cluster that gets something, sorted."""
        return tuple(sorted({share.cluster for share in self.shares}))


def shares(pools: Sequence[Pool], fleet: Fleet, servers: ServerSettings, handover: HandoverSettings) -> Shares:
    """The share of each pool whose site has a cluster; one that the plan does not use keeps what servers stand among.

    `fleet` has a server for each node, `servers` tells what those are like that `handover` says nothing of.
    """
    used = _used(fleet)
    found, findings = [], []
    for pool in pools:
        cluster = handover.clusters.get(pool.site)
        settings = handover.servers.get(cluster or "", servers)
        if cluster is None:
            findings += [no_cluster(pool)] if pool.name in used else []
        elif pool.name in used and pool.device not in settings.devices:
            findings.append(unknown_device(pool))
        else:
            found.append(_share(cluster, pool, used.get(pool.name, {}), settings, handover.models))
    return Shares(tuple(found), tuple(findings))


def _share(cluster: str, pool: Pool, used: LOADED, settings: ServerSettings, models: Models) -> Share:
    namespace, *among = surroundings(pool, settings)
    servers = (server(pool, node, settings) for node in sorted(used))
    if models is Models.ARGUMENTS:
        servers = (starting_with(used[node], each) for node, each in zip(sorted(used), servers, strict=True))
    return Share(cluster, pool.name, namespace, (*among, *servers))


def starting_with(models: Sequence[str], wanted: Manifest) -> Manifest:
    """A server that loads these models before it is ready, and is made anew when others are wanted.

    A model that cannot be loaded ends it, which the cluster shows. Instances and batching are those of the model's own
    configuration: arguments say nothing of them.
    """
    template = wanted["spec"]["template"]
    (container,) = template["spec"]["containers"]
    command = [*container["command"], *(f"--load-model={name}" for name in models)]
    pod = {**template["spec"], "containers": [{**container, "command": command}]}
    strategy = {"type": "RollingUpdate"}
    return {
        **wanted,
        "spec": {**wanted["spec"], "updateStrategy": strategy, "template": {**template, "spec": pod}},
    }


def _used(fleet: Fleet) -> dict[str, dict[str, list[str]]]:
    """By pool and node, what is loaded there."""
    found: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for load in fleet.loads:
        at = load.placement
        found[at.pool][load.node].append(triton_name(at.model, at.variant))
    return {pool: dict(nodes) for pool, nodes in found.items()}
