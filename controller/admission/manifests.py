"""ValidatingAdmissionPolicies of Kubernetes and what they judge by, from a policy and its evidence.

Two policies judge every pod of a namespace that is labelled with a protected service and stage, or with a pool: one its
binding to a node, one a pod that names its node as it is made. Both look the node up in a ConfigMap.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import yaml

from controller.admission.judging import Objection, Protected, judged
from controller.admission.lasting import VALID_UNTIL, valid_until
from controller.admission.policy import ALLOWED, WAYS, Manifest, Way, binding, policy
from controller.admission.servers import servers_judged
from controller.cluster.names import POOL, SYSTEM
from rules.kernel.problem import Problem

SERVICE: Final = "gridwright.dev/service"
STAGE: Final = "gridwright.dev/stage"


def manifests(problem: Problem) -> list[Manifest]:
    """All manifests. `problem` is what is asked of compliance at one instant."""
    answers = judged(problem)
    stages = (each for protected, pools in answers.items() for each in _for(protected, pools, problem))
    return [*policies(), *stages, *for_servers(problem)]


def as_yaml(documents: list[Manifest]) -> str:
    """Manifests as they are applied."""
    return yaml.safe_dump_all(documents, sort_keys=False, width=1_000, explicit_start=True)


def policies() -> Iterator[Manifest]:
    """The two policies, which say how a pod is judged and are the same whatever it is judged by."""
    return (policy(_policy(way), way, way.node, "nothing is known of it") for way in WAYS)


def for_servers(problem: Problem) -> Iterator[Manifest]:
    """What the policies judge the servers of each pool by where no plan is known, and that they do."""
    for pool, nodes in servers_judged(problem).items():
        # No stage is called so: its name has two dashes.
        yield from _judged(f"pool.{pool}", {POOL: pool}, nodes, problem)


def _for(protected: Protected, pools: Mapping[str, Objection | None], problem: Problem) -> Iterator[Manifest]:
    """What the policies judge the pods of one protected stage by, and that they do."""
    labels = {SERVICE: protected.service, STAGE: protected.stage}
    nodes = {node: pools[pool.name] for pool in problem.policy.pools for node in pool.node_names()}
    yield from _judged(f"{protected.service}--{protected.stage}", labels, nodes, problem)


def _judged(
    name: str, labels: Mapping[str, str], nodes: Mapping[str, Objection | None], problem: Problem
) -> Iterator[Manifest]:
    """The answers by node under a name, and that namespaces with these labels are held to them."""
    yield {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": SYSTEM,
            "labels": dict(labels),
            "annotations": {VALID_UNTIL: valid_until(problem)},
        },
        "data": {node: str(objection) if objection else ALLOWED for node, objection in nodes.items()},
    }
    for way in WAYS:
        yield binding(f"{_policy(way)}.{name}", _policy(way), name, {"matchLabels": dict(labels)})


def _policy(way: Way) -> str:
    return f"gridwright-{way.name}"
