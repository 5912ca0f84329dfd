"""Reading, once a second, what the demo draws and judges: the servers' counters and the callers' results."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from collectors.triton_metrics import parse
from collectors.triton_names import model_and_variant
from controller.connections.servers import ServerKey
from controller.embedded.demo.recording import Call, Decided, Recording, Sample
from controller.loop.status import Status

SUCCESS: Final = "nv_inference_request_success"
DOLLAR_MILLICENTS: Final = 100_000


@dataclass(slots=True)
class Answered:
    """Calls answered by (pool, model) since the servers first started; a restarted server's count goes on."""

    totals: dict[tuple[str, str], int] = field(default_factory=dict)
    _last: dict[tuple[ServerKey, str], int] = field(default_factory=dict)

    def add(self, server: ServerKey, counts: Mapping[str, int]) -> None:
        """Take what a server counts now, by model."""
        pool, _ = server
        for model, count in counts.items():
            before = self._last.get((server, model), 0)
            gained = count - before if count >= before else count
            self.totals[pool, model] = self.totals.get((pool, model), 0) + gained
            self._last[server, model] = count


async def count_answers(client: httpx.AsyncClient, pages: Mapping[ServerKey, str], answered: Answered) -> None:
    """Read every server's counters; a server that is away adds nothing."""
    for server, url in pages.items():
        try:
            body = (await client.get(url, timeout=1.0)).content
        except httpx.HTTPError:
            continue
        counts: dict[str, int] = {}
        for (name, family, _), total in parse(body, url).totals.items():
            split = model_and_variant(name)
            if family == SUCCESS and split:
                counts[split[0]] = counts.get(split[0], 0) + total
        answered.add(server, counts)


def sample(at_s: float, status: Status, answered: Answered) -> Sample:
    """The fleet as the last turn saw it."""
    instances: dict[str, int] = {}
    for server in status.snapshot.servers if status.snapshot else ():
        held = server.reading.value.models if server.reading.value else ()
        instances[server.pool] = instances.get(server.pool, 0) + sum(model.instances for model in held)
    served: dict[str, int] = dict.fromkeys(instances, 0)
    for (pool, _), count in answered.totals.items():
        served[pool] = served.get(pool, 0) + count
    cost = status.decision.cost_millicents_per_hour / DOLLAR_MILLICENTS if status.decision else 0.0
    return Sample(at_s, instances, served, cost)


def decided(at_s: float, status: Status) -> Decided | None:
    """The last turn's decision, for the timeline; None before the first."""
    decision = status.decision
    if decision is None:
        return None
    waves = ", ".join(f"{wave.name} {len(wave.actions)}" for wave in decision.transition.waves) or "nothing to do"
    cost = decision.cost_millicents_per_hour / DOLLAR_MILLICENTS
    return Decided(
        at_s,
        decision.verdict.value,
        f"{waves}; {decision.proof.value}, ${cost:.2f} an hour",
        {str(placement): count for placement, count in decision.fleet.instances().items()},
        tuple(str(finding) for finding in status.findings),
    )


class Results:
    """The load generator's result file, read as it grows."""

    def __init__(self, path: Path, started_epoch_s: float) -> None:
        self._path = path
        self._started = started_epoch_s
        self._offset = 0

    def read(self) -> Iterator[Call]:
        """The runs that were finished since the last call."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                run = json.loads(line)
                if "account" not in run:
                    at_s = run["intended_s"] - self._started
                    answered = run["status"] == "ok"
                    yield Call(at_s, run["service"], run["origin"], run["latency_us"] / 1000, answered)


def take(recording: Recording, results: Results) -> None:
    """Add the finished runs to the recording."""
    recording.calls.extend(results.read())
