"""What acts are played with: the fleet, the load, the controller, and what has been seen so far."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from controller.embedded.demo.recording import Recording, percentile_ms
from controller.fleet import Fleet
from controller.loop.status import Status
from policy.resolved import Policy

LOOK_S: Final = 0.25


class NothingServedError(Exception):
    """An act has nothing to be played with: no request of what it is about is served any longer."""


class Servers(Protocol):
    """The fleet's servers, as far as the story lays hands on them."""

    async def kill(self, pool: str) -> None:
        """End a server as a crash would."""

    async def restart(self, pool: str) -> None:
        """Start a killed server again, empty."""


class Traffic(Protocol):
    """The load generator's control."""

    def scale(self, factor: float) -> None:
        """Offer this multiple of every service's base rate from now on."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an act came to."""

    expected: str
    observed: str
    held: bool


@dataclass(slots=True)
class Stage:
    """The demo at work. `started` is the monotonic and the wall clock at its beginning.

    `answered` reads from the servers' own counters how many calls each (pool, model) has answered, `followed` what the
    gateways follow now.
    """

    folder: Path
    policy: Policy
    servers: Servers
    traffic: Traffic
    status: Callable[[], Status]
    answered: Callable[[], Mapping[tuple[str, str], int]]
    recording: Recording
    started: tuple[float, datetime]

    def now_s(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self.started[0]

    def at_s(self, instant: datetime) -> float:
        """An instant in seconds since the demo began."""
        return (instant - self.started[1]).total_seconds()

    def wall(self) -> datetime:
        """The wall clock, which evidence is dated by."""
        return datetime.now(UTC)

    async def rest(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    async def until(self, reached: Callable[[], bool], at_most_s: float) -> bool:
        """Wait until something is so; whether it came to be in time."""
        end = time.monotonic() + at_most_s
        while not reached():
            if time.monotonic() >= end:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    def wanted(self) -> Fleet:
        """The fleet that the last decision asks for."""
        decision = self.status().decision
        return decision.fleet if decision else Fleet()

    def settled(self) -> bool:
        """Whether the last turn had a decision and nothing to do for it."""
        status = self.status()
        return status.decision is not None and not status.decision.transition.waves and not status.failed

    def turns(self) -> int:
        """Turns of the loop so far."""
        return self.status().turns

    def p99_ms(self, start_s: float, end_s: float) -> dict[str, float | None]:
        """The p99 of each service over the calls meant to start in a span."""
        return {
            service: percentile_ms(self.recording.between(service, start_s, end_s), 99)
            for service in self.recording.objective_ms
        }

    def met(self, p99_ms: Mapping[str, float | None]) -> bool:
        """Whether every service was called and stayed within its objective."""
        return all(
            value is not None and value <= self.recording.objective_ms[service] for service, value in p99_ms.items()
        )

    def failures(self, start_s: float, end_s: float) -> int:
        """Calls meant to start in a span that were not answered."""
        return sum(not call.ok for call in self.recording.calls if start_s <= call.at_s < end_s)


def told(p99_ms: Mapping[str, float | None]) -> str:
    """Percentiles for people."""
    return ", ".join(f"{name} {'none' if value is None else f'{value:.0f} ms'}" for name, value in p99_ms.items())


def instances(fleet: Fleet) -> int:
    """All instances of a fleet."""
    return sum(load.instances for load in fleet.loads)


def by_pool(fleet: Fleet) -> str:
    """Instances by pool, for people."""
    counts: dict[str, int] = {}
    for load in fleet.loads:
        counts[load.placement.pool] = counts.get(load.placement.pool, 0) + load.instances
    return ", ".join(f"{pool} {count}" for pool, count in sorted(counts.items())) or "nothing"


def pools_serving(fleet: Fleet, service: str) -> set[str]:
    """The pools that a fleet's routes send any stage of a service to."""
    return {p.pool for r in fleet.routes if r.service == service for way in r.ways for p in way.placements}
