"""A real Triton that serves the models of the grid on one core, and what it and that core tell."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
from open_loop import HOST, get, offer, post
from open_loop_grid import ServedModel

from collectors.snapshot import BatchTime
from controller.embedded.reaper import Reaper
from controller.embedded.triton import TritonServer, TritonSettings, assemble
from controller.profiling.counted import added, batch_times

ROOT = Path(__file__).parents[1]
MODEL = Path(__file__).parent / "served" / "model.py"
LOAD_S = 60.0
WARM_UP_EACH = 20
"""Requests an instance before anything is counted: the first executions of a new one take up to half a second."""
MOST_BYTES = 4 * 1024 * 1024
UNCHANGED_PERMILLE = 1000
CONFIG = {
    "backend": "python",
    "max_batch_size": 1,
    "input": [{"name": "X", "data_type": "TYPE_INT32", "dims": [1]}],
    "output": [{"name": "Y", "data_type": "TYPE_INT32", "dims": [1]}],
    "dynamic_batching": {},
}


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a model's statistics count, from its load or since earlier ones."""

    requests: int
    success_us: float
    queue_us: float
    times: tuple[BatchTime, ...]

    @property
    def executions(self) -> int:
        """Executions of any size."""
        return sum(item.executions for item in self.times)

    def since(self, earlier: "Statistics") -> "Statistics":
        """What was added since."""
        return Statistics(
            self.requests - earlier.requests,
            self.success_us - earlier.success_us,
            self.queue_us - earlier.queue_us,
            added(earlier.times, self.times),
        )


def statistics(answer: bytes) -> Statistics:
    """The answer of `/v2/models/M/stats`."""
    model = json.loads(answer)["model_stats"][0]
    told = model["inference_stats"]
    return Statistics(
        requests=int(told["success"]["count"]),
        success_us=told["success"]["ns"] / 1000,
        queue_us=told["queue"]["ns"] / 1000,
        times=batch_times(model),
    )


@dataclass(frozen=True, slots=True)
class CoreTime:
    """Seconds that a core was busy, and that each process of the server was."""

    core_s: float
    process_s: Mapping[int, float]

    def used_s(self, later: "CoreTime") -> float:
        """How long the server had it, until later; one of its processes that has ended since counts nothing."""
        return sum(used_s - self.process_s.get(process, 0.0) for process, used_s in later.process_s.items())

    def taken_by_others_s(self, later: "CoreTime") -> float:
        """How long something else had the core, until later."""
        return max(0.0, later.core_s - self.core_s - self.used_s(later))


class Served:
    """The running server. One model is loaded at a time."""

    def __init__(self, server: TritonServer, core: int) -> None:
        self._server = server
        self._core = core
        self._loaded: ServedModel | None = None

    @property
    def port(self) -> int:
        """Where requests go."""
        return self._server.endpoint.http

    def load(self, model: ServedModel, instances: int, max_batch: int, delay_us: int) -> None:
        """Serve this model and no other, set like this."""
        if self._loaded not in {None, model}:
            self._ask(f"/v2/repository/models/{self._loaded.name}/unload", {})
        config = _config(model) | {
            "max_batch_size": max_batch,
            "instance_group": [{"count": instances, "kind": "KIND_CPU"}],
            "dynamic_batching": {"max_queue_delay_microseconds": delay_us},
        }
        self._ask(f"/v2/repository/models/{model.name}/load", {"parameters": {"config": json.dumps(config)}})
        self._loaded = model
        warm_up = WARM_UP_EACH * instances
        offer(self.port, [self.request()] * warm_up, np.zeros(warm_up), connections=2 * instances * max_batch)

    def statistics(self) -> Statistics:
        """Of the model that is loaded."""
        return statistics(self._ask(self._statistics_path))

    def request(self, permille: int = UNCHANGED_PERMILLE) -> bytes:
        """One that asks for this part of the model's time."""
        tensor = {"name": "X", "shape": [1, 1], "datatype": "INT32", "data": [permille]}
        return post(f"/v2/models/{self._name}/infer", json.dumps({"inputs": [tensor]}).encode())

    def statistics_request(self) -> bytes:
        """One whose answer `statistics` reads."""
        return get(self._statistics_path)

    def core_time(self) -> CoreTime:
        """Of the server's core, and of the server with all its processes."""
        with Path("/proc/stat").open(encoding="ascii") as file:
            fields = next(line for line in file if line.startswith(f"cpu{self._core} ")).split()
        user, nice, system, _, _, irq, soft_irq, steal = map(int, fields[1:9])
        ticks = os.sysconf("SC_CLK_TCK")
        used_s = {process: count / ticks for process, count in _ticks(self._server.pid).items()}
        return CoreTime((user + nice + system + irq + soft_irq + steal) / ticks, used_s)

    @property
    def _name(self) -> str:
        assert self._loaded is not None, "load a model first"
        return self._loaded.name

    @property
    def _statistics_path(self) -> str:
        return f"/v2/models/{self._name}/stats"

    def _ask(self, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"http://{HOST}:{self.port}{path}", data), timeout=LOAD_S) as answer:
            read: bytes = answer.read(MOST_BYTES)
        return read


def _ticks(group: int | None) -> dict[int, int]:
    """CPU time in ticks of each process of a group."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            fields = (
                (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split() if entry.name.isdigit() else []
            )
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields and int(fields[2]) == group:
            found[int(entry.name)] = int(fields[11]) + int(fields[12])
    return found


def _config(model: ServedModel) -> dict[str, Any]:
    values = {
        "base_us": model.base_us,
        "each_us": model.each_us,
        "spread": model.spread,
        "computes": int(model.computes),
    }
    parameters = {name: {"string_value": str(value)} for name, value in values.items()}
    return {**CONFIG, "name": model.name, "parameters": parameters}


def _lay_out(models: Sequence[ServedModel], repository: Path, packages: Path) -> None:
    """A folder for each model; the Python backend has to be told where numpy is."""
    text = f"import sys\nsys.path.append({str(packages)!r})\n" + MODEL.read_text(encoding="utf-8")
    for model in models:
        (repository / model.name / "1").mkdir(parents=True)
        (repository / model.name / "1" / "model.py").write_text(text, encoding="utf-8")
        (repository / model.name / "config.pbtxt").write_text(f'name: "{model.name}"\n', encoding="utf-8")


@contextmanager
def served(models: Sequence[ServedModel], work: Path) -> Iterator[Served]:
    """A server on the last core, and this process on the first, until the block ends."""
    cores = sorted(os.sched_getaffinity(0))
    with ExitStack() as stack:
        installation = assemble(ROOT / ".venv-triton", work)
        _lay_out(models, work / "models", installation.packages)
        reaper = Reaper()
        stack.callback(reaper.close)
        stack.callback(os.sched_setaffinity, 0, cores)
        os.sched_setaffinity(0, {cores[-1]})  # a child stays where it was started
        server = TritonServer(installation, TritonSettings("bench", work / "models", work), reaper)
        stack.callback(server.stop)
        server.start()
        os.sched_setaffinity(0, {cores[0]})
        yield Served(server, cores[-1])
