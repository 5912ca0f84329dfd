"""What is said to be refused of admission's manifests is what an API server refuses, to the letter and to the byte."""

import pytest

from controller.admission.taking import MAX_DATA_BYTES, refused
from tests.cluster.api_server import ApiServer, collection

NAMES = {
    "service--stage": True,
    "gridwright-binding.1a.b--c": True,
    "a..b--read": False,
    "a.-b--read": False,
    "a-.b--read": False,
    "a.b--c.d": True,
}
SIZES = {MAX_DATA_BYTES: True, MAX_DATA_BYTES + 1: False}


def config_map(name: str, **data: str) -> dict[str, object]:
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


CASES = [
    *((config_map(name), taken) for name, taken in NAMES.items()),
    *((config_map("a", one="é" * 100, two="x" * (size - 200)), taken) for size, taken in SIZES.items()),
]
IDS = [*NAMES, *map(str, SIZES)]


@pytest.mark.parametrize(("manifest", "is_taken"), CASES, ids=IDS)
def test_what_is_not_taken_is_told(manifest: dict[str, object], is_taken: bool) -> None:  # noqa: FBT001 -- a case
    assert (list(refused([manifest])) == []) == is_taken


@pytest.mark.cluster
@pytest.mark.parametrize(("manifest", "is_taken"), CASES, ids=IDS)
def test_a_server_takes_and_refuses_the_same(
    server: ApiServer,
    manifest: dict[str, object],
    is_taken: bool,  # noqa: FBT001 -- a case
) -> None:
    assert server.post(collection(manifest), manifest, dryRun="All").is_success == is_taken
