"""The demo's results: `summary.json` for machines and one `report.html` for people."""

import html
import json
from pathlib import Path

from controller.embedded.demo import plots
from controller.embedded.demo.recording import Act, Decided, Recording, percentile_ms

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; color: #1d2733; }
h1 { font-size: 1.6rem; margin-bottom: .2rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top; padding: .45rem .6rem;
border-bottom: 1px solid #dfe5ec } th { color: #556; font-weight: 600 } td.n { white-space: nowrap }
.held { color: #1e7d4f; font-weight: 600 } .failed { color: #c0392b; font-weight: 600 }
.note { background: #f4f7fa; border-left: 4px solid #2a6fdb; padding: .6rem .9rem } svg { width: 100%; height: auto }
details { margin: .3rem 0 } code { font-size: .9em }
"""

HONESTY = """Real servers, real networks, real answers: NVIDIA Triton, the PP-OCR and Silero networks, Envoy.
Emulated: the speed of the devices (a served model runs the real inference, then waits out the service time of the
device that its pool stands for) and the delay of the links between sites (Envoy's fault filter)."""


def write(recording: Recording, folder: Path) -> Path:
    """Write `summary.json` and `report.html` into the folder; gives the report's path."""
    folder.mkdir(parents=True, exist_ok=True)
    acts = [
        {"name": act.name, "expected": act.expected, "observed": act.observed, "held": act.held}
        for act in recording.acts
    ]
    (folder / "summary.json").write_text(json.dumps({"acts": acts}, indent=2) + "\n", encoding="utf-8")
    path = folder / "report.html"
    path.write_text(page(recording), encoding="utf-8")
    return path


def page(recording: Recording) -> str:
    """The report as one page without outside parts."""
    held = sum(act.held for act in recording.acts)
    figures = [plots.latency(recording, service) for service in recording.objective_ms]
    figures += [plots.served(recording), plots.instances(recording), plots.cost(recording)]
    return "\n".join(
        (
            "<!doctype html><html lang=en><meta charset=utf-8>",
            '<meta name=viewport content="width=device-width"><title>Gridwright demo</title>',
            f"<style>{STYLE}</style>",
            f"<h1>Gridwright demo: {held} of {len(recording.acts)} acts held</h1>",
            f"<p class=note>{html.escape(HONESTY)}</p>",
            "<h2>What was expected, and what was seen</h2>",
            _acts(recording.acts),
            "<h2>What happened</h2>",
            "<p>Shaded spans are the acts, by number; triangles are decisions that change the fleet.</p>",
            *figures,
            "<h2>All calls</h2>",
            _totals(recording),
            "<h2>Decisions</h2>",
            *(_decided(decided) for decided in recording.decisions if decided.verdict != "keep" or decided.findings),
            "</html>\n",
        )
    )


def _acts(acts: list[Act]) -> str:
    rows = "".join(
        f"<tr><td class=n>{number}</td><td>{html.escape(act.name)}</td><td>{html.escape(act.expected)}</td>"
        f"<td>{html.escape(act.observed)}</td><td class={'held' if act.held else 'failed'}>"
        f"{'held' if act.held else 'failed'}</td></tr>"
        for number, act in enumerate(acts, start=1)
    )
    return f"<table><tr><th></th><th>act</th><th>expected</th><th>seen</th><th></th></tr>{rows}</table>"


def _totals(recording: Recording) -> str:
    rows = ""
    for service, objective_ms in recording.objective_ms.items():
        calls = [call for call in recording.calls if call.service == service]
        values = [percentile_ms(calls, percent) for percent in (50, 95, 99)]
        cells = "".join(f"<td>{'-' if value is None else f'{value:.0f} ms'}</td>" for value in values)
        failed = sum(not call.ok for call in calls)
        rows += f"<tr><td>{html.escape(service)}</td><td>{len(calls)}</td><td>{failed}</td>{cells}"
        rows += f"<td>{objective_ms:g} ms</td></tr>"
    names = ("service", "calls", "not answered", "p50", "p95", "p99", "objective")
    head = "".join(f"<th>{name}</th>" for name in names)
    return f"<table><tr>{head}</tr>{rows}</table>"


def _decided(decided: Decided) -> str:
    lines = "".join(f"<li>{html.escape(text)}</li>" for text in decided.findings)
    findings = f"<ul>{lines}</ul>" if lines else ""
    summary = html.escape(f"{decided.at_s:.0f} s, {decided.verdict}: {decided.summary}")
    return f"<details><summary>{summary}</summary>{findings}</details>"
