"""Helm and Kustomize, built from their pinned source, and what they make of the chart and of what is rendered of it."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from controller.embedded.errors import PartMissingError
from tests.cluster.starting import BUILT

ROOT: Final = Path(__file__).parents[2]
CHART: Final = ROOT / "deploy" / "helm" / "gridwright"
VALUES: Final = Path(__file__).parent / "chart"
NAMESPACE: Final = "gridwright-system"
ACCOUNT: Final = "gridwright"
USER: Final = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
"""The controller's account, as the API server calls it."""
NEWEST: Final = "1.36.0"
"""The newest Kubernetes that the chart is for; left to itself Helm renders for the one that it was built with."""
OPERATOR: Final = "monitoring.coreos.com/v1"
"""What a cluster serves that has the operator of Prometheus."""

Manifest = dict[str, Any]


def helm(*arguments: str | Path, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Run Helm, which may fail. It keeps nothing of the home folder. Raises PartMissingError where it is not built."""
    binary = BUILT / "helm"
    if not binary.is_file():
        raise PartMissingError("helm is not here: `make test-cluster` builds it where Go is installed")
    homes = ("HOME", "HELM_CONFIG_HOME", "HELM_CACHE_HOME", "HELM_DATA_HOME")
    nowhere = dict.fromkeys(homes, str(BUILT / "nowhere"))
    return subprocess.run(
        [binary, *arguments],
        env={"PATH": os.defpath, **nowhere, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def rendered(values: Path, *more: str) -> str:
    """What `helm template` writes. Raises ValueError with Helm's words when it refuses."""
    how = ("--namespace", NAMESPACE, "--kube-version", NEWEST, "--values", values)
    told = helm("template", "gridwright", CHART, *how, *more)
    if told.returncode != 0:
        raise ValueError(told.stderr)
    return told.stdout


def manifests(text: str) -> list[Manifest]:
    """The objects of a rendered chart."""
    return [each for each in yaml.safe_load_all(text) if each]


def kustomized(folder: Path) -> list[Manifest]:
    """What Kustomize builds of a folder."""
    told = subprocess.run([BUILT / "kustomize", "build", folder], capture_output=True, text=True, check=True)
    return manifests(told.stdout)
