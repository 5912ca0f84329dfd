"""The administration of Envoys that follow route files and count arrivals: one at each address, for one origin each."""

import json
import math
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

COUNTED = "envoy_http_local_rate_limit_enabled"
WAVE_S = 60.0


class Gateway:
    """Of one origin. `rates` has the requests a second by `ORIGIN/SERVICE/STAGE`, which rise and fall by `swing`."""

    def __init__(self, routes: Path, rates: dict[str, float], swing: float = 0.0) -> None:
        self._routes = routes
        self._rates = rates
        self._swing = swing
        self._since_s = time.monotonic()

    def answer(self, path: str) -> str | None:
        """The pages that are asked for; None for others."""
        match urlsplit(path).path:
            case "/config_dump":
                return json.dumps({"configs": self._followed()})
            case "/stats":
                return json.dumps({"stats": []})
            case "/stats/prometheus":
                return self._arrivals()
        return None

    def _followed(self) -> list[dict[str, Any]]:
        if not self._routes.is_file():
            return []
        found = json.loads(self._routes.read_text())
        return [{"version_info": found["version_info"], "route_config": each} for each in found["resources"]]

    def _arrivals(self) -> str:
        passed_s = time.monotonic() - self._since_s
        # The integral of a rate that swings around its mean.
        swung_s = passed_s + self._swing * WAVE_S / math.tau * (1 - math.cos(math.tau * passed_s / WAVE_S))
        lines = ["# TYPE envoy_server_live gauge", "envoy_server_live{} 1", f"# TYPE {COUNTED} counter"]
        lines += [
            f'{COUNTED}{{envoy_local_http_ratelimit_prefix="{name}"}} {int(rate * swung_s)}'
            for name, rate in self._rates.items()
        ]
        return "\n".join([*lines, ""])
