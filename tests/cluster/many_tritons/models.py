"""What a Triton holds and has served, as far as its endpoints tell: the state behind one address of the stand-in."""

import copy
import time
from dataclasses import dataclass, field
from typing import Any

Config = dict[str, Any]
US = 1_000_000
NS_OF_US = 1000


@dataclass(frozen=True, slots=True)
class Traffic:
    """What each loaded model is asked for, and how long an execution of one request takes."""

    requests_a_second: float = 0.0
    execution_us: int = 10_000


@dataclass(slots=True)
class Loaded:
    """A model in memory: its configuration, and since when it serves."""

    config: Config
    since: float = field(default_factory=time.monotonic)

    def served(self, traffic: Traffic) -> int:
        """Requests until now, one an execution."""
        return int((time.monotonic() - self.since) * traffic.requests_a_second)


def as_stored(name: str) -> Config:
    """The configuration of a model as repositories have it: one instance."""
    return {"name": name, "max_batch_size": 8, "instance_group": [{"count": 1}], "dynamic_batching": {}}


class Triton:
    """The state of one server. It is new with its pod, and holds nothing else than what it is told to begin with."""

    def __init__(self, repository: tuple[str, ...], traffic: Traffic, begins: dict[str, Config] | None = None) -> None:
        self._repository = repository
        self._traffic = traffic
        self.loaded = {name: Loaded(config) for name, config in (begins or {}).items()}
        self.calls: dict[str, int] = {"load": 0, "unload": 0}

    def holds(self, name: str) -> bool:
        """Whether its repository has the model."""
        return name in self._repository

    def load(self, name: str, config: Config | None) -> None:
        """Have a model in memory, as configured, or as stored where nothing is said."""
        self.calls["load"] += 1
        before = self.loaded.get(name)
        self.loaded[name] = Loaded(
            copy.deepcopy(config or as_stored(name)), before.since if before else time.monotonic()
        )

    def unload(self, name: str) -> None:
        """Have it gone."""
        self.calls["unload"] += 1
        self.loaded.pop(name, None)

    def index(self) -> list[Config]:
        """`POST /v2/repository/index`."""
        ready = {"version": "1", "state": "READY"}
        return [{"name": name, **(ready if name in self.loaded else {})} for name in self._repository]

    def statistics(self) -> Config:
        """`GET /v2/models/stats`."""
        told = []
        for name, loaded in sorted(self.loaded.items()):
            served = loaded.served(self._traffic)
            took = {"count": served, "ns": served * self._traffic.execution_us * NS_OF_US}
            sizes = [{"batch_size": 1, "compute_infer": took}] if served else []
            told.append({"name": name, "version": "1", "batch_stats": sizes})
        return {"model_stats": told}

    def metrics(self) -> str:
        """The page of the metrics port, each model with the families that a Triton names for it."""
        served = {name: loaded.served(self._traffic) for name, loaded in sorted(self.loaded.items())}
        execution_us = self._traffic.execution_us
        families = {
            "request_success": dict(served),
            "request_failure": dict.fromkeys(served, 0),
            "count": dict(served),
            "exec_count": dict(served),
            "request_duration_us": {name: count * execution_us for name, count in served.items()},
            "queue_duration_us": dict.fromkeys(served, 0),
            "compute_input_duration_us": dict.fromkeys(served, 0),
            "compute_infer_duration_us": {name: count * execution_us for name, count in served.items()},
            "compute_output_duration_us": dict.fromkeys(served, 0),
        }
        lines = ["# TYPE nv_energy_consumption counter", "nv_energy_consumption 0"]
        for family, values in families.items():
            lines.append(f"# TYPE nv_inference_{family} counter")
            lines += [f'nv_inference_{family}{{model="{name}",version="1"}} {n}' for name, n in values.items()]
        lines.append("# TYPE nv_inference_pending_request_count gauge")
        lines += [f'nv_inference_pending_request_count{{model="{name}",version="1"}} 0' for name in served]
        return "\n".join(lines) + "\n"
