"""Replicas as processes on a real API server: killed and stopped at random moments, and watched by somebody else."""

import asyncio
import random
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from signal import SIGCONT, SIGSTOP

import pytest

from controller.acting.waiting import until
from controller.cluster.api_server.calls import Calls
from tests.cluster.accounts import Controller, controller_of, put_up
from tests.cluster.api_server import ApiServer
from tests.cluster.fleet import calls
from tests.cluster.leader import MAPS, TERM

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
SHORT_S, USUAL_S = 3, 10
"""Durations of leases. Leaders look five times in one."""


NAMES = count()


@pytest.fixture
def controller(system: ApiServer, kubeconfig: Path) -> Iterator[Controller]:
    """The controller's account, in a cluster with the fence."""
    with controller_of(system, kubeconfig, f"dying-{next(NAMES)}") as controller:
        put_up(system, controller.user)
        yield controller


@dataclass
class Watcher:
    """The term of each write, in the order in which the API server did them."""

    terms: list[str] = field(default_factory=list)

    def leader(self) -> str:
        """Whose write was the last one."""
        return self.terms[-1].partition(".")[2] if self.terms else ""

    async def watch(self, by: Calls, namespace: str) -> None:
        """Record until cancelled, and go on where the API server ended a watch."""
        path = MAPS.path(namespace=namespace)
        version = (await by.get(path))["metadata"]["resourceVersion"]
        while True:
            async with by.lines(path, {"watch": 1, "resourceVersion": version}, silence_s=300) as lines:
                async for event in lines:
                    version = event["object"]["metadata"]["resourceVersion"]
                    if TERM in event["object"].get("data", {}):
                        self.terms.append(event["object"]["data"][TERM])


@asynccontextmanager
async def watched(kubeconfig: Path, namespace: str) -> AsyncIterator[Watcher]:
    async with calls(kubeconfig) as by:
        watcher = Watcher()
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watcher.watch(by, namespace))
            yield watcher
            watching.cancel()


class Replicas:
    """Processes that lead or wait to."""

    def __init__(self, controller: Controller, log: Path) -> None:
        self._controller = controller
        self._log = log
        self._running: dict[str, Process] = {}

    async def start(self, name: str, duration_s: int = SHORT_S) -> None:
        by = self._controller
        command = ["-m", "tests.cluster.leader", by.kubeconfig, name, by.user, by.namespace, str(duration_s)]
        with (self._log / f"{name}.log").open("wb") as out:
            self._running[name] = await asyncio.create_subprocess_exec(
                sys.executable, *command, cwd=ROOT, stdout=out, stderr=out
            )

    async def kill(self, name: str) -> None:
        process = self._running.pop(name)
        process.send_signal(SIGCONT)
        process.kill()
        await process.wait()

    def stop(self, name: str) -> None:
        self._running[name].send_signal(SIGSTOP)

    def go_on(self, name: str) -> None:
        self._running[name].send_signal(SIGCONT)

    async def end(self) -> None:
        for name in list(self._running):
            await self.kill(name)


@pytest.fixture
async def replicas(controller: Controller, tmp_path: Path) -> AsyncIterator[Replicas]:
    replicas = Replicas(controller, tmp_path)
    yield replicas
    await replicas.end()


async def followed(watcher: Watcher, before: str) -> float:
    """How long it takes until somebody else writes."""
    since = time.monotonic()

    async def is_another() -> bool:
        return watcher.leader() not in {"", before}

    async with asyncio.timeout(60):
        await until(is_another)
    return time.monotonic() - since


async def test_a_standby_takes_over_within_fifteen_seconds(
    controller: Controller, kubeconfig: Path, replicas: Replicas
) -> None:
    async with watched(kubeconfig, controller.namespace) as watcher:
        await replicas.start("leader", USUAL_S)
        await followed(watcher, "")
        await replicas.start("standby", USUAL_S)
        await asyncio.sleep(USUAL_S / 2)
        await replicas.kill("leader")
        assert await followed(watcher, "leader") < 15


async def test_whoever_leads_dies_or_stands_still_and_no_write_comes_after_its_term(
    controller: Controller, kubeconfig: Path, replicas: Replicas
) -> None:
    dice = random.Random(7)  # noqa: S311 -- a test
    async with watched(kubeconfig, controller.namespace) as watcher:
        await replicas.start("replica-0")
        await followed(watcher, "")
        for number in range(1, 11):
            await replicas.start(f"replica-{number}")
            await asyncio.sleep(dice.uniform(0.5, 2.5))
            leader = watcher.leader()
            stands_still = number % 3 == 0
            if stands_still:
                replicas.stop(leader)
            else:
                await replicas.kill(leader)
            assert await followed(watcher, leader) < 5 * SHORT_S
            if stands_still:
                replicas.go_on(leader)
                await asyncio.sleep(1)
                await replicas.kill(leader)
        numbers = [int(term.partition(".")[0]) for term in watcher.terms]
    assert numbers == sorted(numbers)
    assert len(set(watcher.terms)) == len(set(numbers)) == 11
