"""A real server on a free loopback port around the API of a small world, whose loop a test moves by hand."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import httpx
import uvicorn
from prometheus_client import CollectorRegistry, Gauge

from collectors.snapshot import Snapshot
from controller.api.app import create_app
from controller.api.view import View
from controller.decision import Decision, State
from controller.loop.policies import InForce
from controller.loop.status import Status
from controller.planning.decide import decide
from controller.summary import Summary, summarise
from policy.resolved import Policy
from tests.planning.world import World


@dataclass
class Loop:
    """The loop's part: what it would tell, turn by turn."""

    world: World = field(default_factory=World)
    status: Status = field(default_factory=Status)
    history: list[Summary] = field(default_factory=list)
    decide: Callable = decide

    def turn(self) -> None:
        decision = self.world.turn()
        self.history.insert(0, summarise(decision))
        self.status = replace(
            self.status,
            turns=self.status.turns + 1,
            interval_s=5,
            ended=self.world.now,
            in_force=InForce(self.world.policy),
            snapshot=self.world.snapshot(),
            decision=decision,
        )

    def recent(self, limit: int) -> tuple[Summary, ...]:
        return tuple(self.history[:limit])


@dataclass
class Stage:
    """Where the loop stands that the server shows now: each test puts its own there."""

    loop: Loop = field(default_factory=Loop)

    def view(self) -> View:
        registry = CollectorRegistry()
        Gauge("gridwright_probe", "A number to find again", registry=registry).set(7)
        return View(self.status, self.recent, self.decide, registry, self.clock)

    def status(self) -> Status:
        return self.loop.status

    def recent(self, limit: int) -> tuple[Summary, ...]:
        return self.loop.recent(limit)

    def decide(self, policy: Policy, snapshot: Snapshot, state: State, now: datetime) -> Decision:
        return self.loop.decide(policy, snapshot, state, now)

    def clock(self) -> datetime:
        return self.loop.world.now + timedelta(seconds=1)


@contextmanager
def served(stage: Stage) -> Iterator[httpx.Client]:
    """A client of a uvicorn that serves the API of the loop on stage."""
    config = uvicorn.Config(create_app(stage.view()), host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
