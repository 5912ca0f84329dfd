"""What is rendered from the Helm chart and kept: `make manifests` writes it anew."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

from controller.admission import door
from controller.cluster.installation import installed
from controller.cluster.leading import fencing
from policy.schema.files import DEFINITIONS
from tests.cluster.helm import CHART, NAMESPACE, OPERATOR, ROOT, USER, VALUES, Manifest, manifests, rendered

KUSTOMIZE: Final = ROOT / "deploy" / "kustomize"
SETS: Final = sorted(VALUES.glob("*.yaml"))


def made() -> Mapping[Path, str]:
    """Every file as the chart has it now: what each set of values renders to, and what Kustomize is given.

    The base is also what `gridwright install` carries.
    """
    whole = written([namespace(), *manifests(rendered(KUSTOMIZE / "values.yaml"))])
    return {
        **{golden(values): rendered(values, "--api-versions", OPERATOR) for values in SETS},
        KUSTOMIZE / "base" / "gridwright.yaml": whole,
        Path(installed.__file__).with_suffix(".yaml"): whole,
        DEFINITIONS / "Kustomization": definitions(),
    }


def parts() -> Mapping[Path, str]:
    """The files of the chart that say what the code says."""
    return {
        CHART / "fence.yaml": written(list(fencing.manifests(USER))),
        CHART / "admission.yaml": written(list(door.policies())),
    }


def golden(values: Path) -> Path:
    """Where it is kept what a set of values renders to."""
    return values.with_name("rendered") / values.name


def namespace() -> Manifest:
    """The controller's namespace, which a chart cannot have in itself. It takes no pod that is not restricted."""
    restricted = {f"pod-security.kubernetes.io/{how}": "restricted" for how in ("enforce", "audit", "warn")}
    labels = {"app.kubernetes.io/part-of": "gridwright", **restricted}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}


def definitions() -> str:
    """The definitions of custom resources, as Kustomize lists them. What else reads their folder reads YAML alone."""
    listed = {"resources": sorted(each.name for each in DEFINITIONS.glob("*.yaml"))}
    frame = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    return yaml.safe_dump({**frame, **listed}, sort_keys=False)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def written(documents: list[Manifest]) -> str:
    """Manifests one after the other, each field where the chart has it."""
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, width=1_000, explicit_start=True)


if __name__ == "__main__":
    for files in (parts, made):  # what is rendered has the parts in it
        for path, text in files().items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
