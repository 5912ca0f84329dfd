"""The load of an embedded fleet: one generator process for all services and origins of its policy."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from controller.embedded.fleet import EmbeddedFleet
from controller.embedded.load import Demand, Factor, LoadConfig, set_factors
from policy.resolved import Policy, Service

KINDS: Final[Mapping[tuple[str, ...], str]] = {
    ("ppocr-det", "ppocr-cls", "ppocr-rec"): "ocr",
    ("silero-vad",): "speech",
}
"""What the generator can run, by the models of a service's stages."""
DEPTH_PERMILLE: Final = 250
"""How far rates follow the trace's swings. The whole of them would drown the steps that a demo makes itself."""
LONGEST_S: Final = 86_400.0


class UnknownPipelineError(Exception):
    """A service whose stages the generator has no inputs for; the message names those that it has."""


class Traffic:
    """The running generator. It ends with the fleet."""

    def __init__(self, control: Path, results: Path) -> None:
        self._control = control
        self.results = results

    def scale(self, factor: float) -> None:
        """Offer this multiple of every service's expected rate from now on."""
        set_factors(self._control, (Factor(permille=round(factor * 1000)),))


def start_traffic(
    policy: Policy, fleet: EmbeddedFleet, work: Path, factor: float, *, depth_permille: int = DEPTH_PERMILLE
) -> Traffic:
    """Start the generator at a multiple of the services' expected rates. Raises UnknownPipelineError."""
    traffic = Traffic(work / "load-control.json", work / "load-results.jsonl")
    traffic.scale(factor)
    config = LoadConfig(
        demands=tuple(
            _demand(service, origin.site, origin.share_permille, fleet)
            for service in policy.services
            for origin in service.origins
        ),
        duration_s=LONGEST_S,
        results=traffic.results,
        control=work / "load-control.json",
        depth_permille=depth_permille,
        otlp_url=f"http://{fleet.connections.otlp}/v1/traces",
    )
    path = work / "load.json"
    path.write_text(config.model_dump_json(), encoding="utf-8")
    fleet.spawn([sys.executable, "-m", "controller.embedded.load", str(path)], work / "load.log")
    return traffic


def _demand(service: Service, origin: str, share_permille: int, fleet: EmbeddedFleet) -> Demand:
    models = tuple(stage.model for stage in service.stages)
    if models not in KINDS:
        known = "; ".join(" -> ".join(each) for each in KINDS)
        raise UnknownPipelineError(
            f"{service.name}: there are no inputs for {' -> '.join(models)}; there are for {known}"
        )
    return Demand(
        origin=origin,
        service=service.name,
        url=fleet.origin_url(origin),
        kind="ocr" if KINDS[models] == "ocr" else "speech",
        stages=tuple((stage.name, stage.model) for stage in service.stages),
        mean_milli_rps=max(1, service.expected_rate_milli_rps * share_permille // 1000),
        fanout=max(stage.fanout for stage in service.stages),
    )
