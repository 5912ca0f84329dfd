"""The policy of a real cluster, as commands read it by `kubernetes:CONTEXT`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import ROOT, gridwright
from tests.cluster.api_server import ApiServer, Manifest
from tests.cluster.written import files, resources

pytestmark = pytest.mark.cluster

FACTORY = ROOT / "examples" / "factory"
CLUSTER = "kubernetes:tests"


@pytest.fixture(autouse=True)
def _reached(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))


@pytest.fixture
def factory(defined: ApiServer) -> Iterator[dict[tuple[str, str], Manifest]]:
    """The documents of the example by kind and name, as they stand in the cluster."""
    made = [manifest for name, text in files(FACTORY) for _, manifest in resources(name, text)]
    for manifest in made:
        defined.create(manifest)
    yield {(each["kind"], each["metadata"]["name"]): each for each in made}
    for manifest in made:
        defined.delete(manifest)


@pytest.mark.usefixtures("factory")
def test_the_plan_of_a_cluster_is_that_of_the_files_it_was_made_from() -> None:
    ran = gridwright("diff", FACTORY, CLUSTER)
    assert ran.status == 0, ran.out + ran.err


def test_what_is_wrong_is_told_of_the_resource_and_its_field(
    defined: ApiServer, factory: dict[tuple[str, str], Manifest]
) -> None:
    assert gridwright("check", CLUSTER).status == 0
    pool = factory["Pool", "ulm-old"]
    defined.delete(pool)
    defined.create({**pool, "spec": {**pool["spec"], "site": "atlantis"}})
    ran = gridwright("check", CLUSTER, "--json")
    assert ran.status == 1
    told = {(each["id"], each["message"].partition(": ")[0]) for each in ran.json() if each["level"] == "error"}
    assert ("GW0302", "Pool/ulm-old .spec.site") in told
    assert "Pool/ulm-old .spec.site: " in gridwright("check", CLUSTER).out.replace("\n", "")


@pytest.mark.usefixtures("factory")
def test_a_cluster_is_not_watched() -> None:
    ran = gridwright("check", CLUSTER, "--watch")
    assert ran.status == 1
    assert "kubernetes:tests is a cluster" in " ".join(ran.err.split())


def test_a_cluster_that_cannot_be_asked_is_told_with_the_next_step() -> None:
    ran = gridwright("check", "kubernetes:elsewhere")
    assert (ran.status, ran.out) == (1, "")
    assert "leads nowhere: " in ran.err
    assert "name a context of it" in " ".join(ran.err.split())
