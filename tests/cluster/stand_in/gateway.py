"""The administration of a gateway (Envoy) that counts arrivals at rates that it is told, and follows route files."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.cluster.stand_in.notes import Notes
from tests.cluster.stand_in.pages import NOT_FOUND, Page

LOOK_S = 0.02
COUNTED = "envoy_http_local_rate_limit_enabled"


class Gateway:
    """For some origins, each with its route file. `PUT /rates` has the arrivals a second by ORIGIN/SERVICE/STAGE."""

    def __init__(self, routes: Path, origins: Sequence[str], notes: Notes) -> None:
        self._files = {origin: routes / origin / "routes.json" for origin in origins}
        self._notes = notes
        self._followed: dict[str, dict[str, Any]] = {}
        self._rates: dict[str, float] = {}
        self._counted: dict[str, float] = {}
        self._since_s = time.monotonic()

    async def follow(self) -> None:
        """Follow what is put in the place of the files, for ever."""
        texts: dict[str, str] = {}
        while True:
            for origin, file in self._files.items():
                text = file.read_text() if file.is_file() else ""
                if text and texts.get(origin) != text:
                    before = self._followed.get(origin, {}).get("version_info", "")
                    self._followed[origin] = json.loads(text)
                    version = self._followed[origin]["version_info"]
                    self._notes.note("routes", origin=origin, version=version, before=before)
                texts[origin] = text
            await asyncio.sleep(LOOK_S)

    async def answer(self, method: str, path: str, body: bytes) -> Page:
        """The pages of the administration that are asked for."""
        match method, urlsplit(path).path:
            case "PUT", "/rates":
                self._told(json.loads(body))
                return Page(b"{}")
            case "GET", "/config_dump":
                configs = [
                    {"version_info": each["version_info"], "route_config": each["resources"][0]}
                    for each in self._followed.values()
                ]
                return Page(json.dumps({"configs": configs}).encode())
            case "GET", "/stats":
                return Page(b'{"stats":[]}')
            case "GET", "/stats/prometheus":
                return Page(self._exposition().encode(), "text/plain; charset=utf-8")
        return NOT_FOUND

    def _told(self, rates: Mapping[str, float]) -> None:
        self._count()
        self._rates |= rates

    def _count(self) -> None:
        now_s = time.monotonic()
        for name, rate in self._rates.items():
            self._counted[name] = self._counted.get(name, 0.0) + rate * (now_s - self._since_s)
        self._since_s = now_s

    def _exposition(self) -> str:
        self._count()
        lines = [
            f'{COUNTED}{{envoy_local_http_ratelimit_prefix="{name}"}} {int(count)}'
            for name, count in self._counted.items()
        ]
        types = ["# TYPE envoy_server_live gauge", "envoy_server_live{} 1", f"# TYPE {COUNTED} counter"]
        return "\n".join([*types, *lines, ""])
