"""A plan as it is handed over, held to definitions of custom resources on a real API server.

`python -m tests.cluster.held_to_hubs FOLDER` holds it to the published definitions in a folder, tests hold it to
hubs/definitions.yaml.
"""

import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

import httpx
import yaml

from policy.schema.crd import plural
from tests.cli.process import gridwright
from tests.cluster.api_server import ApiServer, Manifest, collection, eventually, one
from tests.cluster.starting import BUILT, api_server

ROOT: Final = Path(__file__).parents[2]
HUBS: Final = Path(__file__).with_name("hubs")
CONNECTIONS: Final = HUBS / "connections.yaml"
PLANNED: Final = ROOT / "examples" / "embedded"
FORMS: Final = ("ocm", "karmada")


def taken() -> list[Manifest]:
    """The definitions of hubs/definitions.yaml, with the policy of Karmada that is in no namespace."""
    work, policy = yaml.safe_load_all((HUBS / "definitions.yaml").read_text())
    kind = "ClusterPropagationPolicy"
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural(kind), "singular": kind.lower()}
    metadata = {"name": f"{plural(kind)}.{policy['spec']['group']}"}
    return [
        work,
        policy,
        {**policy, "metadata": metadata, "spec": {**policy["spec"], "names": names, "scope": "Cluster"}},
    ]


@cache
def handed_over(form: str) -> list[Manifest]:
    """The objects that the command writes of an example."""
    ran = gridwright("export", form, PLANNED, "--connections", CONNECTIONS)
    assert ran.status == 0, ran.err
    return list(yaml.safe_load_all(ran.out))


def define(server: ApiServer, definitions: Iterable[Manifest]) -> None:
    """Have a server know kinds, and return once it serves them."""
    for each in definitions:
        server.create(each)
        spec = each["spec"]
        version = spec["versions"][-1]["name"]
        served = f"/apis/{spec['group']}/{version}/{spec['names']['plural']}"
        eventually(lambda served=served: server.is_served(served))


def stand(server: ApiServer, manifests: Iterable[Manifest]) -> None:
    """Have all namespaces that objects stand in."""
    for name in sorted({each["metadata"]["namespace"] for each in manifests if "namespace" in each["metadata"]}):
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        if not server.is_served(one(namespace)):
            server.create(namespace)


def tried(server: ApiServer, manifest: Manifest) -> httpx.Response:
    """What a server says of an object, without keeping it."""
    if server.is_served(one(manifest)):
        manifest = {**manifest, "metadata": {**manifest["metadata"], "name": f"{manifest['metadata']['name']}-again"}}
    return server.post(collection(manifest), manifest, dryRun="All")


def main(folder: Path) -> None:
    """Tell of each object whether the published definitions of a folder take it. Exits 1 where one is refused."""
    files = sorted(folder.glob("*.yaml"))
    definitions = [each for file in files for each in yaml.safe_load_all(file.read_text()) if each]
    manifests = [each for form in FORMS for each in handed_over(form)]
    refused = 0
    with tempfile.TemporaryDirectory() as work, api_server(BUILT, Path(work)) as server:
        define(server, definitions)
        stand(server, manifests)
        for each in manifests:
            answer = tried(server, each)
            refused += not answer.is_success
            told = "taken" if answer.is_success else answer.text
            sys.stdout.write(f"{each['kind']} {each['metadata']['name']}: {told}\n")
    sys.exit(bool(refused))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
