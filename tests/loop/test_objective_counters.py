"""Runs that applications post are counted by objective, under the names that the rules for Prometheus ask for."""

import asyncio
import re
import time
from pathlib import Path

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from controller.alerting.rules import rule_file
from controller.assembly import controller
from controller.connections.connections import Connections
from controller.connections.servers import ServerConnection
from controller.embedded.ports import free_ports
from controller.loop.status import Status
from controller.places import Places
from policy.source import load
from tests.loop.real import EXAMPLE, copied_policy

WITHIN_S = 30


def run_of(service: str, origin: str, number: int, took_s: float) -> dict[str, object]:
    end_ns = time.time_ns()
    attributes = {"gridwright.service": service, "gridwright.origin": origin}
    return {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "kind": 3,
        "startTimeUnixNano": str(end_ns - int(took_s * 1e9)),
        "endTimeUnixNano": str(end_ns),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }


async def test_runs_are_counted_by_objective(tmp_path: Path) -> None:
    policy = load(EXAMPLE).policy
    assert policy is not None
    api, otlp, away = (f"127.0.0.1:{port}" for port in free_ports(3))
    servers = {pool.name: ServerConnection(http=away, metrics=away, grpc=away) for pool in policy.pools}
    places = Places(copied_policy(tmp_path), tmp_path / "journal.db", Connections(servers=servers, api=api, otlp=otlp))
    turns: asyncio.Queue[Status] = asyncio.Queue()
    service = policy.service("receipt-ocr")
    origin, limit_s = service.origins[0].site, service.latency[0].below_us / 1e6
    spans = [run_of(service.name, origin, number, took_s) for number, took_s in ((1, 0.1), (2, limit_s + 1), (3, 0.1))]
    async with asyncio.timeout(WITHIN_S), controller(places, turns.put_nowait), httpx.AsyncClient() as client:
        await turns.get()
        before = await scraped(client, api)
        body = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
        assert (await client.post(f"http://{otlp}/v1/traces", json=body)).status_code == 200
        key = (service.name, origin, f"{limit_s:g}")
        while (after := await scraped(client, api))["gridwright_runs_total", *key] < 3:
            await turns.get()
    assert set(before.values()) == {0.0}
    assert after["gridwright_slow_runs_total", *key] == 1
    asked = {
        (name, *re.findall(r'(?:service|below)="([^"]+)"', selector))
        for group in yaml.safe_load(rule_file(policy))["groups"]
        for rule in group["rules"]
        for name, selector in re.findall(r"(gridwright_\w*runs_total)(\{[^}]*\})", rule["expr"])
    }
    assert asked == {(name, service, below) for name, service, _, below in after}


async def scraped(client: httpx.AsyncClient, api: str) -> dict[tuple[str, ...], float]:
    """The counters of runs by name, service, origin and limit."""
    families = text_string_to_metric_families((await client.get(f"http://{api}/metrics")).text)
    samples = (sample for family in families for sample in family.samples if sample.name.endswith("runs_total"))
    return {
        (each.name, each.labels["service"], each.labels["origin"], each.labels["below"]): each.value for each in samples
    }
