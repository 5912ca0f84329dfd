"""What a pod of the chart would run on a real node, run here as a process: its arguments, environment and files.

KWOK plays pods and runs nothing. Files of ConfigMaps and Secrets are written as the pod mounts them, once it starts; a
claim is a folder that outlives it. Only what a network of its own would give is changed: it listens on ports
of 127.0.0.1, and reaches the API server by a kubeconfig of its account.
"""

import base64
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from controller.embedded.ports import HOST, free_ports
from controller.embedded.reaper import Reaper
from tests.cli.process import COMMAND, ROOT
from tests.cluster.api_server import ApiServer, Manifest

OURS = ("/etc/gridwright", "/journal")
"""Where the chart mounts what arguments and connections name."""
LISTENING = ("api", "otlp", "otlpGrpc")


@dataclass(frozen=True, slots=True)
class Running:
    """A container's process, and where its API is."""

    process: "subprocess.Popen[bytes]"
    api: str
    log: Path


@dataclass(frozen=True, slots=True)
class Machine:
    """What plays the containers; `work` has a folder for each volume."""

    server: ApiServer
    kubeconfig: Path
    work: Path
    reaper: Reaper

    def run(self, pod: Manifest) -> Running:
        """Run the one container of a pod."""
        (container,) = pod["spec"]["containers"]
        at = {each["mountPath"]: self._mounted(pod, each["name"]) for each in container["volumeMounts"]}
        environment = dict(self._environment(pod, container))
        ports = free_ports(len(LISTENING))
        told = at["/etc/gridwright/connections"] / "connections.yaml"
        listened = {name: f"{HOST}:{port}" for name, port in zip(LISTENING, ports, strict=True)}
        told.write_text(yaml.safe_dump(yaml.safe_load(_here(told.read_text(), at)) | listened))
        arguments = [_here(_filled(each, environment), at) for each in container["args"]]
        log = self.work / f"{pod['metadata']['name']}.log"
        own = {"KUBECONFIG": str(self.kubeconfig), "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
        environment |= {"HOME": str(at["/data"]), "PYTHONUNBUFFERED": "1", **own}
        process = self.reaper.spawn([COMMAND, *arguments], env=environment, cwd=self.work, log=log)
        return Running(process, listened["api"], log)

    def _mounted(self, pod: Manifest, name: str) -> Path:
        """The folder of a volume. A claim's is the same for all pods."""
        (volume,) = [each for each in pod["spec"]["volumes"] if each["name"] == name]
        folder = self.work / ("claims" if "persistentVolumeClaim" in volume else pod["metadata"]["name"]) / name
        folder.mkdir(parents=True, exist_ok=True)
        for source in volume.get("projected", {}).get("sources", ()):
            for file, content in self._files(source, pod["metadata"]["namespace"]):
                (folder / file).write_bytes(content)
        return folder

    def _files(self, source: dict[str, Any], namespace: str) -> Iterator[tuple[str, bytes]]:
        if "configMap" in source:
            told = source["configMap"]
            kept = self.server.get(f"/api/v1/namespaces/{namespace}/configmaps/{told['name']}")
            paths = {each["key"]: each["path"] for each in told.get("items", ())}
            yield from ((paths.get(file, file), text.encode()) for file, text in kept["data"].items())
        if "secret" in source:
            kept = self.server.get(f"/api/v1/namespaces/{namespace}/secrets/{source['secret']['name']}")
            yield from ((file, base64.b64decode(text)) for file, text in kept["data"].items())

    def _environment(self, pod: Manifest, container: Manifest) -> Iterator[tuple[str, str]]:
        fields = {f"metadata.{key}": pod["metadata"][key] for key in ("name", "namespace")}
        for each in container["env"]:
            source = each.get("valueFrom", {})
            if "fieldRef" in source:
                yield each["name"], fields[source["fieldRef"]["fieldPath"]]
            elif "configMapKeyRef" in source:
                files = dict(self._files({"configMap": source["configMapKeyRef"]}, pod["metadata"]["namespace"]))
                yield each["name"], files[source["configMapKeyRef"]["key"]].decode()
            else:
                yield each["name"], each.get("value", "")


def _filled(text: str, environment: dict[str, str]) -> str:
    for name, value in environment.items():
        text = text.replace(f"$({name})", value)
    return text


def _here(text: str, at: dict[str, Path]) -> str:
    """With the folders of this machine for those of the container."""
    ours = sorted((each for each in at if each.startswith(OURS)), key=len, reverse=True)
    return re.sub(rf"(?<!\w)(?:{'|'.join(map(re.escape, ours))})\b", lambda found: str(at[found[0]]), text)
