"""`python -m controller.embedded.demo FOLDER OUT`: play the story on an embedded fleet and write its report.

Exits with 1 when an act was not held.
"""

import asyncio
import contextlib
import logging
import shutil
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console

from controller.assembly import controller
from controller.embedded.demo import report
from controller.embedded.demo.acts import ACTS, Play
from controller.embedded.demo.observing import Answered, Results, count_answers, decided, sample, take
from controller.embedded.demo.recording import Act, Recording
from controller.embedded.demo.stage import NothingServedError, Seen, Stage
from controller.embedded.errors import EmbeddedError
from controller.embedded.fleet import EmbeddedFleet, FleetMismatchError, embedded_fleet
from controller.embedded.traffic import Traffic, start_traffic
from controller.journal.errors import JournalError
from controller.loop.status import Status
from controller.places import Places
from policy.resolved import Policy
from policy.source import load

ENVIRONMENT: Final = Path(".venv-triton")
SAMPLE_S: Final = 1.0
HIGHEST_BP: Final = 9900
INTERRUPTED: Final = 130
LOG_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"


def main(folder: Path, out: Path) -> int:
    """Play everything; the exit status."""
    console = Console()
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(folder, out / "policy")
    loaded = load(out / "policy")
    if loaded.policy is None:
        console.print("\n".join(str(finding) for finding in loaded.findings))
        return 1
    logging.basicConfig(filename=out / "controller.log", level=logging.INFO, format=LOG_FORMAT)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    console.print("[bold]Starting[/] a Triton server for each node, and an Envoy …")
    try:
        with embedded_fleet(loaded.policy, ENVIRONMENT, out / "fleet", paced=True) as fleet:
            recording = asyncio.run(_play(loaded.policy, fleet, out, console))
    except (EmbeddedError, FleetMismatchError, JournalError) as error:
        console.print(f"[bold red]error:[/] {error}\nThe logs are in {out}", highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped; everything that was started has ended.")
        return INTERRUPTED
    path = report.write(recording, out)
    held = sum(act.held for act in recording.acts)
    console.print(f"\n[bold]{held} of {len(recording.acts)} acts held.[/] Look at {path}")
    if held == len(ACTS):
        return 0
    console.print(
        "The acts are timed, and want two processors to themselves: look at `uptime` before you look for a fault.\n"
        f"What the controller said is in {out / 'controller.log'}",
        highlight=False,
    )
    return 1


async def _play(policy: Policy, fleet: EmbeddedFleet, out: Path, console: Console) -> Recording:
    started = (time.monotonic(), datetime.now(UTC))
    recording = Recording({s.name: _objective_ms(policy, s.name) for s in policy.services})
    answered = Answered()

    def seen(status: Status) -> None:
        found = decided(time.monotonic() - started[0], status)
        if found is not None:
            recording.decisions.append(found)
            if found.verdict != "keep":
                console.print(f"  [dim]{found.at_s:6.1f} s[/] {found.verdict}: {found.summary}", highlight=False)

    places = Places(out / "policy", out / "journal.sqlite", fleet.connections)
    async with controller(places, seen) as running:
        traffic = start_traffic(policy, fleet, out / "fleet", 0.0)
        stage = Stage(
            folder=out / "policy",
            policy=policy,
            servers=fleet,
            traffic=traffic,
            status=lambda: running.runner.status,
            answered=lambda: answered.totals,
            recording=recording,
            started=started,
        )
        async with _watching(stage, fleet, answered, traffic):
            for number, play in enumerate(ACTS, start=1):
                console.print(f"\n[bold]{number}. {play.name}[/] [dim]{stage.now_s():.0f} s[/]")
                start_s = stage.now_s()
                result = await _played(play, stage)
                act = Act(play.name, result.expected, result.observed, result.held, start_s, stage.now_s())
                recording.acts.append(act)
                mark = "[green]held[/]" if act.held else "[red]failed[/]"
                console.print(f"  expected: {act.expected}\n  seen:     {act.observed}\n  {mark}", highlight=False)
    return recording


async def _played(play: Play, stage: Stage) -> Seen:
    try:
        return await play.play(stage)
    except NothingServedError as error:
        return Seen("something is served that the act can be played with", str(error), held=False)


def _objective_ms(policy: Policy, service: str) -> float:
    return min(item.below_us for item in policy.service(service).latency if item.percentile_bp <= HIGHEST_BP) / 1000


@contextlib.asynccontextmanager
async def _watching(stage: Stage, fleet: EmbeddedFleet, answered: Answered, traffic: Traffic) -> AsyncIterator[None]:
    task = asyncio.create_task(_watch(stage, fleet, answered, traffic))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _watch(stage: Stage, fleet: EmbeddedFleet, answered: Answered, traffic: Traffic) -> None:
    """Sample everything, again and again."""
    pages = {key: f"http://{server.metrics}/metrics" for key, server in fleet.connections.by_node().items()}
    results = Results(traffic.results, stage.started[1].timestamp())
    async with httpx.AsyncClient(trust_env=False) as client:
        while True:
            await count_answers(client, pages, answered)
            take(stage.recording, results)
            stage.recording.samples.append(sample(stage.now_s(), stage.status(), answered))
            await asyncio.sleep(SAMPLE_S)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
