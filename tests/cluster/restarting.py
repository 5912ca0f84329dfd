"""An API server that is ended and started again over the same etcd."""

import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from controller.embedded.ports import HOST, free_ports
from tests.cluster.api_server import ApiServer
from tests.cluster.starting import BUILT, KUBECONFIG, certified, kubeconfig, serving, store


@dataclass
class Restarted:
    """An API server that can be ended and started over the same etcd, and the etcd's port."""

    work: Path
    kept: int
    port: int
    identity: ssl.SSLContext

    def serving(self) -> AbstractContextManager[ApiServer]:
        """The API server while the context lasts."""
        return serving(BUILT, self.work, self.kept, self.port, self.identity)

    def compact(self) -> None:
        """Have etcd forget every version but the last."""
        url = f"http://{HOST}:{self.kept}/v3/kv"
        with httpx.Client(trust_env=False) as asked:
            head = asked.post(f"{url}/range", json={"key": "AA=="}).json()["header"]["revision"]
            assert asked.post(f"{url}/compaction", json={"revision": head, "physical": True}).is_success


@contextmanager
def restartable(work: Path) -> Iterator[Restarted]:
    """What starts and ends an API server, whose kubeconfig stands in the folder. Raises as `api_server` does."""
    (port,) = free_ports(1)
    identity = certified(work)
    (work / KUBECONFIG).write_text(kubeconfig(work, port))
    with store(BUILT, work) as kept:
        yield Restarted(work, kept, port, identity)
