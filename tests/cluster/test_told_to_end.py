"""Replicas that are told to end, as a rollout tells them: who stands by, and who leads."""

from pathlib import Path

import pytest
import yaml

from controller.cluster.api_server.resources import LEASES
from controller.cluster.leading.lease import LEASE, Timing
from controller.cluster.leading.marking import OFF_WITHIN_S
from controller.cluster.names import SYSTEM
from controller.connections.cluster import ClusterConnection
from controller.connections.connections import Connections
from controller.journal.postgres import ANSWER_WITHIN_S
from controller.loop.stopping import WAITED_S
from controller.serving import END_WITHIN_S
from policy.schema.files import DEFINITIONS
from tests.cluster.api_server import ApiServer, eventually, one
from tests.cluster.controlling import OWN, accounted
from tests.cluster.fleet import SETTINGS
from tests.cluster.helm import VALUES, manifests, rendered
from tests.cluster.pods import restricted
from tests.cluster.replicas import replicas

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("helm_is_built")]

OTHER = "gridwright-1"
GIT = VALUES / "git.yaml"
SOON_S = 15
"""What ends by itself, and what a busy machine takes."""
EXPORTED_S = 10
"""What an exporter of spans takes at most, by its own default."""


def holder(cluster: ApiServer) -> str:
    path = LEASES.path(LEASE, namespace=SYSTEM)
    return str(cluster.get(path)["spec"]["holderIdentity"]) if cluster.is_served(path) else ""


def test_a_pod_is_granted_what_it_takes_to_end() -> None:
    (deployment,) = (each for each in manifests(rendered(GIT)) if each["kind"] == "Deployment")
    noted_s = 2 * ANSWER_WITHIN_S  # what came of the wave, and what a site is not to load any more
    served_s = 4 * END_WITHIN_S  # the API, and the receivers of spans and of sites
    rest_s = OFF_WITHIN_S + noted_s + served_s + EXPORTED_S + Timing().call_s
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= WAITED_S + rest_s


@pytest.mark.timeout(180)
def test_whoever_stands_by_ends_at_once_and_whoever_leads_leaves_the_lease_free(
    cluster: ApiServer, cluster_work: Path, tmp_path: Path
) -> None:
    for file in sorted(DEFINITIONS.glob("*.yaml")):
        definition = yaml.safe_load(file.read_text())
        if not cluster.is_served(one(definition)):
            cluster.create(definition)
    connections = Connections(cluster=ClusterConnection(servers=SETTINGS))
    with accounted(cluster, cluster_work) as kubeconfig, replicas(kubeconfig, tmp_path, connections) as them:
        second = restricted(OTHER, SYSTEM)
        cluster.create(second)
        them.start(OWN)
        eventually(lambda: bool(holder(cluster)), 60)
        leads = holder(cluster)
        them.start(OTHER)
        eventually(lambda: them.stands_by(OTHER), 60)
        assert them.end(OTHER, SOON_S) == 0
        assert holder(cluster) == leads
        assert them.end(OWN, SOON_S) == 0
        assert holder(cluster) == ""
        cluster.delete(second)
