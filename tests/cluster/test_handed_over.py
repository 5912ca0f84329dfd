"""What is handed over to Open Cluster Management and Karmada, tried on a real API server that knows their kinds."""

from typing import Any

import httpx
import pytest

from tests.cluster.api_server import ApiServer, Manifest, message
from tests.cluster.held_to_hubs import FORMS, define, handed_over, stand, taken, tried

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def hub(server: ApiServer) -> ApiServer:
    """The server with the kinds of both."""
    define(server, taken())
    return server


def of(form: str, kind: str) -> list[Manifest]:
    return [each for each in handed_over(form) if each["kind"] == kind]


@pytest.mark.parametrize("form", FORMS)
def test_a_server_takes_all_that_is_handed_over(hub: ApiServer, form: str) -> None:
    manifests = handed_over(form)
    stand(hub, manifests)
    for manifest in manifests:
        answer = tried(hub, manifest)
        assert answer.status_code == httpx.codes.CREATED, answer.text


def test_what_a_work_wraps_a_cluster_takes(hub: ApiServer) -> None:
    wrapped = [each for work in of("ocm", "ManifestWork") for each in work["spec"]["workload"]["manifests"]]
    stand(hub, wrapped)
    for manifest in wrapped:
        answer = tried(hub, manifest)
        assert answer.status_code == httpx.codes.CREATED, answer.text


def spoiled(work: Manifest, **strategy: Any) -> Manifest:
    first, *rest = work["spec"]["manifestConfigs"]
    applied = {**first["updateStrategy"]["serverSideApply"], **strategy}
    configured = {**first, "updateStrategy": {**first["updateStrategy"], "serverSideApply": applied}}
    return {**work, "spec": {**work["spec"], "manifestConfigs": [configured, *rest]}}


@pytest.mark.parametrize(
    ("strategy", "told"), [({"fieldManager": "gridwright"}, "fieldManager"), ({"forced": True}, "unknown field")]
)
def test_what_a_hub_does_not_take_is_refused_here_too(hub: ApiServer, strategy: dict[str, Any], told: str) -> None:
    work = of("ocm", "ManifestWork")[0]
    stand(hub, [work])
    assert told in message(tried(hub, spoiled(work, **strategy)))
