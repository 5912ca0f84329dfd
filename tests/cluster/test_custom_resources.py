"""The definitions of deploy/crds on a real API server, and documents as custom resources there."""

import json
import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from policy.bundles import BUNDLES
from policy.documents import API_VERSION, KINDS
from policy.findings import Place
from policy.folder import read_texts
from policy.resolved import Policy
from policy.schema.crd import SHOWN, plural
from policy.schema.status import conditions_of
from policy.source import load, load_documents
from policy.validate import validate
from tests.cluster.api_server import ApiServer, Manifest, collection, message, one
from tests.cluster.written import files, resources
from tests.schema.test_schema_and_reader import CANNOT_SAY

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
GROUP = f"/apis/{API_VERSION}"
EXAMPLES = sorted(each for each in (ROOT / "examples").iterdir() if each.is_dir())
BROKEN = sorted((ROOT / "tests/policy/broken").glob("*.yaml"))
WITHOUT_VARIABLES = [folder for folder in EXAMPLES if folder.name != "environments"]
FRAME = ("apiVersion", "kind", "metadata", "spec")


def as_text(found: list[Manifest]) -> str:
    """What people wrote of resources, without what Kubernetes adds, in one spelling."""
    said = []
    for each in found:
        metadata = {key: each["metadata"][key] for key in ("name", "labels") if key in each["metadata"]}
        said.append({key: metadata if key == "metadata" else each[key] for key in FRAME})
    return "".join(f"---\n{json.dumps(each, sort_keys=True, ensure_ascii=False)}\n" for each in said)


def meaning(value: Any) -> Any:
    """What a part of a policy says, wherever it was written."""
    if isinstance(value, Policy):
        return [
            meaning(getattr(value, each.name)) for each in fields(value) if each.name not in {"revision", "documents"}
        ]
    if isinstance(value, Place):
        return None
    if is_dataclass(value):
        return [type(value).__name__, *(meaning(getattr(value, each.name)) for each in fields(value))]
    if isinstance(value, tuple):
        return [meaning(each) for each in value]
    return value


@pytest.mark.parametrize("kind", KINDS)
def test_the_server_takes_a_definition_and_serves_its_kind(defined: ApiServer, kind: str) -> None:
    kept = defined.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural(kind)}.gridwright.dev")
    conditions = {each["type"]: each["status"] for each in kept["status"]["conditions"]}
    assert conditions.pop("Established") == conditions.pop("NamesAccepted") == "True"
    assert conditions == {}  # such as NonStructuralSchema


def test_kinds_are_called_as_the_page_says_and_listed_together(defined: ApiServer) -> None:
    served = [each for each in defined.get(GROUP)["resources"] if "/" not in each["name"]]
    rows = re.findall(r"^\| (\w+) \| `(gw\w+)` \|", (ROOT / "docs/schema.md").read_text(), re.MULTILINE)
    assert sorted((each["kind"], *each["shortNames"]) for each in served) == sorted(rows)
    assert all(each["categories"] == ["gridwright"] and not each["namespaced"] for each in served)


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_the_documents_of_an_example_are_taken_as_custom_resources(defined: ApiServer, folder: Path) -> None:
    made = [manifest for name, text in files(folder) for _, manifest in resources(name, text)]
    assert made
    for manifest in made:
        response = defined.post(collection(manifest), manifest, dryRun="All")
        assert response.status_code == httpx.codes.CREATED, response.text
        assert as_text([response.json()]) == as_text([manifest])


@pytest.mark.parametrize("folder", WITHOUT_VARIABLES, ids=lambda folder: folder.name)
def test_the_same_policy_is_read_back(defined: ApiServer, folder: Path) -> None:
    written = {name: [manifest for _, manifest in resources(name, text)] for name, text in files(folder)}
    for manifest in (each for manifests in written.values() for each in manifests):
        defined.create(manifest)
    kept = {name: [defined.get(one(each)) for each in manifests] for name, manifests in written.items()}
    for manifest in (each for manifests in written.values() for each in manifests):
        defined.delete(manifest)
    bundles = [pair for pair in read_texts(folder)[0] if pair[0].startswith(f"{BUNDLES}/")]
    before, after = (
        load_documents([*bundles, *((name, as_text(each)) for name, each in found.items())]).policy
        for found in (written, kept)
    )
    assert before is not None
    assert after is not None
    assert after.revision == before.revision
    assert meaning(after) == meaning(load(folder).policy)


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_what_the_schema_tells_of_a_document_the_server_refuses(defined: ApiServer, file: Path) -> None:
    for document, manifest in resources(file.name, file.read_text()):
        if manifest.get("kind") not in KINDS or "metadata" not in manifest:
            continue  # there is no address to send it to
        wrong = {str(each.place) for each in validate(document)[1]} - CANNOT_SAY.keys()
        response = defined.post(collection(manifest), manifest, dryRun="All")
        refused = response.status_code in {httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY}
        assert refused == bool(wrong), (document.place(), response.text)


def test_an_unknown_field_is_told_and_left_out(defined: ApiServer) -> None:
    site = {"apiVersion": API_VERSION, "kind": "Site", "metadata": {"name": "odd"}, "spec": {"jurisdictions": ["EU"]}}
    site = {**site, "spec": {"jurisdictions": ["EU"], "colour": "red"}}
    assert 'unknown field "spec.colour"' in message(defined.post(collection(site), site, dryRun="All"))
    warned = defined.post(collection(site), site, dryRun="All", fieldValidation="Warn")
    assert 'unknown field \\"spec.colour\\"' in warned.headers["Warning"]
    assert warned.json()["spec"] == {"jurisdictions": ["EU"]}


def test_a_list_shows_the_columns_of_its_kind(defined: ApiServer) -> None:
    manifests = [each for name, text in files(ROOT / "examples/dispatch") for _, each in resources(name, text)]
    pool = next(each for each in manifests if each["kind"] == "Pool")
    defined.create(pool)
    table = defined.get(collection(pool), table=True)
    defined.delete(pool)
    names = [each["name"] for each in table["columnDefinitions"]]
    assert names == ["Name", *(each.name for each in SHOWN["Pool"].columns), *conditions_of("Pool")]
    said = [pool["spec"].get(each) for each in ("site", "device", "nodes", "price")]
    assert table["rows"][0]["cells"][1:] == [*said, None]  # nobody has told yet whether it is accepted
