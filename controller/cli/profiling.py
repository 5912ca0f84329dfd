"""Measuring a model for `gridwright profile`."""

import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx

from controller.cli.errors import CliError, in_two
from controller.cli.terminal import console
from controller.profiling.deciding import Goal, Step, next_step
from controller.profiling.described import Described, ServerError, connected
from controller.profiling.inputs import InputError, made_up, read_sample
from controller.profiling.measured import Progress
from controller.profiling.running import Watch, measure, told
from controller.profiling.state import StateError, read_state, write_state
from controller.profiling.triton import TritonModel, metrics_page
from policy.units import UnitError, duration_us


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command was given. `state` is where points are kept until all are there."""

    model: str
    server: str
    metrics: str
    sample: Path | None
    budget_s: float
    state: Path | None


def seconds(text: str) -> float:
    """A duration such as `3m`. Raises CliError."""
    try:
        return duration_us(text) / 1e6
    except UnitError as error:
        raise in_two(error, ": ") from error


async def carried_out(asked: Asked) -> tuple[Progress, bool]:
    """The points, and whether they are all that were wanted. The server is left with the model as it was."""
    deadline_s = time.monotonic() + asked.budget_s
    try:
        async with AsyncExitStack() as stack:
            client, described = await stack.enter_async_context(connected(asked.server, asked.model))
            http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
            sample = read_sample(asked.sample, described.inputs) if asked.sample else made_up(described.inputs)
            metrics = metrics_page(http, asked.metrics) if asked.metrics else None
            model = TritonModel(client, described, sample, metrics)
            stack.push_async_callback(model.restore)
            subject = f"{asked.model} on {asked.server}"
            known = read_state(asked.state, subject) if asked.state else Progress()
            goal = Goal(described.max_batch, resizable=True)
            progress = await measure(model, goal, known, deadline_s, Watch(_begun(), _saver(asked, subject)))
    except (ServerError, InputError, StateError) as error:
        raise in_two(error, ": ") from error
    if not progress.batches:
        raise CliError(f"nothing could be measured: {'; '.join(progress.notes)}", _hint(asked, described))
    return progress, next_step(progress, goal) is None


def _begun() -> Callable[[Step], None]:
    err = console(sys.stderr)
    return lambda step: err.print(f"Measuring {told(step)}", markup=False)


def _saver(asked: Asked, subject: str) -> Callable[[Progress], None]:
    state = asked.state
    if state is None:
        return lambda _: None
    return lambda progress: write_state(state, subject, progress)


def _hint(asked: Asked, described: Described) -> str:
    names = ", ".join(tensor.name for tensor in described.inputs)
    if asked.sample:
        return f"see the server's log for why {asked.model} does not answer"
    return f"give --input with a sample of {names} that the model can work on, or see the server's log"
