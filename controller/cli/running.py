"""The controller in this process: its signals, its log and a line a turn."""

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import replace
from typing import Final

from controller.assembly import controller
from controller.background import in_background
from controller.cli.errors import CliError
from controller.connections.addresses import split_address
from controller.garbage import seldom_collected
from controller.loop.runner import Watch
from controller.loop.status import Status
from controller.loop.stopping import WAITED_S
from controller.places import Places
from policy.words import counted, dollars_per_hour

LOG: Final = logging.getLogger("gridwright.loop")
ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"


def open_as_many_as_allowed() -> None:
    """Have this process hold as many open files as it may: each server takes some connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def run_until_told(places: Places, watch: Watch) -> None:
    """Run until a signal comes; `watch` sees every turn. Raises JournalError and CliError."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    open_as_many_as_allowed()
    for name, address in places.connections.listened_at().items():
        _require_free(name, address)
    places = replace(places, otlp_endpoint=os.environ.get(ENDPOINT, ""))
    told, at_work = asyncio.Event(), asyncio.Event()
    working = asyncio.create_task(_run(places, told, at_work, watch))
    loop = asyncio.get_running_loop()

    def signalled() -> None:
        if told.is_set() or not at_work.is_set():  # who waits to lead, or for sites, has nothing under way
            working.cancel()
        told.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, signalled)
    with suppress(asyncio.CancelledError):
        await working


async def _run(places: Places, told: asyncio.Event, at_work: asyncio.Event, watch: Watch) -> None:
    async with in_background(seldom_collected()), controller(places, watch) as running:
        at_work.set()
        print(f"Serving http://{places.connections.api}; Ctrl-C stops", flush=True)
        stopped, ended = asyncio.create_task(told.wait()), asyncio.create_task(running.ended())
        deposed = asyncio.create_task(running.deposed())
        done, others = await asyncio.wait((stopped, ended, deposed), return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        if stopped not in done:
            raise _ended(ended.result()) if ended in done else _deposed()
        running.runner.stop()
        print(f"Stopping: what is under way has up to {WAITED_S:g} s to end; Ctrl-C again stops at once", flush=True)


def _ended(fault: BaseException | None) -> CliError:
    if fault is not None:
        LOG.error("the loop ended", exc_info=fault)
    return CliError(
        f"the loop ended by a fault of Gridwright ({type(fault).__name__}: {fault}); what runs stays as it is",
        "report it with the log's traceback, and start the controller again: it goes on from what runs",
    )


def _deposed() -> CliError:
    return CliError("another replica may lead by now", "start this one again: it stands by until it may lead")


def tell(status: Status) -> None:
    """One line about the last turn."""
    when = status.ended.isoformat(timespec="seconds") if status.ended else ""
    took = sum(seconds for _, seconds in status.phases)
    if status.decision is None:
        what = "no policy in force"
    else:
        cost = dollars_per_hour(status.decision.cost_millicents_per_hour)
        failed = sum(outcome.result == "failed" for outcome in status.outcomes)
        what = f"{status.decision.verdict} {cost}, {counted(len(status.outcomes), 'action')}, {failed} failed"
    if status.in_force.commit:
        what += f", commit {status.in_force.commit[:12]}"
    print(f"{when} turn {status.turns}: {what}, {counted(len(status.findings), 'finding')}, {took:.2f} s", flush=True)


def _require_free(name: str, address: str) -> None:
    host, port = split_address(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CliError(
                f"{address} cannot be served at ({error.strerror})",
                f"end what listens there, or give another address as `{name}` in the connections document",
            ) from error
