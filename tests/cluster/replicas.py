"""Replicas of the whole controller, each a process of its own as in a pod, over one journal: started, killed, asked."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from controller.connections.connections import Connections
from controller.embedded.ports import HOST, free_ports
from controller.embedded.reaper import Reaper
from tests.cli.process import COMMAND, ROOT
from tests.cluster.helm import NAMESPACE


@dataclass
class Replica:
    """One of them: where its API is, and its process while it has one."""

    name: str
    api: str
    running: "subprocess.Popen[bytes] | None" = None


@dataclass
class Replicas:
    """Some of them, by the name of their pods. `kubeconfig` is the controller's; its policy is the cluster's."""

    kubeconfig: Path
    work: Path
    connections: Connections
    reaper: Reaper
    client: httpx.Client
    all: dict[str, Replica] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start one that does not run."""
        otlp, api = free_ports(2)
        addresses = {"otlp": f"{HOST}:{otlp}", "api": f"{HOST}:{api}"}
        told = self.work / f"{name}.json"
        told.write_text(self.connections.model_copy(update=addresses).model_dump_json(by_alias=True, exclude_none=True))
        command: list[str | Path] = [
            COMMAND,
            "run",
            "kubernetes:",
            "--connections",
            told,
            "--journal",
            self.work / "journal.db",
        ]
        running = self.reaper.spawn(command, env=self._environment(name), cwd=self.work, log=self.work / f"{name}.log")
        self.all[name] = Replica(name, addresses["api"], running)

    def kill(self, name: str) -> None:
        """Kill one, which notices nothing of it."""
        running = self.all[name].running
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)
        running.wait()

    def end(self, name: str, within_s: float) -> int:
        """Tell one to end; its exit status. Raises TimeoutExpired."""
        running = self.all[name].running
        assert running is not None
        os.kill(running.pid, signal.SIGTERM)
        return running.wait(within_s)

    def ended(self) -> list[str]:
        """Those whose processes have ended."""
        return [name for name, each in self.all.items() if each.running and each.running.poll() is not None]

    def stands_by(self, name: str) -> bool:
        """Whether one waits to lead."""
        return bool(self._answer(name, "/readyz").get("status") == "standing by")

    def leader(self) -> str | None:
        """The one that leads and has decided, if any does."""
        return next((name for name in self.all if self.decided(name)), None)

    def decided(self, name: str) -> list[Any]:
        """The last decisions of one that leads, newest first."""
        found: list[Any] = self._answer(name, "/v1/decisions", [])
        return found if isinstance(found, list) else []

    def _answer(self, name: str, path: str, nothing: Any = None) -> Any:
        try:
            answer = self.client.get(f"http://{self.all[name].api}{path}")
            return answer.json() if answer.is_success else nothing or {}
        except (httpx.HTTPError, json.JSONDecodeError):
            return nothing or {}

    def _environment(self, name: str) -> dict[str, str]:
        own = {"POD_NAME": name, "POD_NAMESPACE": NAMESPACE, "KUBECONFIG": str(self.kubeconfig)}
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "NUMBA_CACHE_DIR") if key in os.environ}
        return {**kept, **own, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


@contextmanager
def replicas(kubeconfig: Path, work: Path, connections: Connections) -> Iterator[Replicas]:
    """None at first; those that run are ended with the context."""
    limits = httpx.Limits(max_keepalive_connections=0)
    with closing(Reaper()) as reaper, httpx.Client(trust_env=False, timeout=5, limits=limits) as client:
        yield Replicas(kubeconfig, work, connections, reaper, client)
