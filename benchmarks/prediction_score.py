"""Scoring predictions of latency against what clients saw."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

BUSY: Final = 0.7
FULL: Final = 0.9


@dataclass(frozen=True, slots=True)
class Scored:
    """One point: errors of p50, p95, p99 as parts of what was seen, and whether each interval held it."""

    name: str
    kind: str
    utilisation: float
    seen_us: tuple[float, ...]
    errors: tuple[float, ...]
    covered: tuple[bool, ...]
    equivalent_load: float
    disturbed: bool = False


def summary(points: Sequence[Scored]) -> dict[str, object]:
    """The figures over some points, in percent; empty for none."""
    if not points:
        return {"points": 0}
    errors = 100 * np.abs([point.errors for point in points])
    equivalent = 100 * np.abs([point.equivalent_load - 1 for point in points])
    return {
        **{name: _spread(errors[:, at]) for at, name in enumerate(("p50", "p95", "p99"))},
        "equivalent_load": _spread(equivalent),
        "coverage": round(100 * float(np.mean([point.covered for point in points])), 1),
        "points": len(points),
    }


def _spread(values: np.ndarray) -> dict[str, float]:
    return {"median": round(float(np.median(values)), 2), "p90": round(float(np.percentile(values, 90)), 2)}


CUTS: Final[dict[str, Callable[[Scored], bool]]] = {
    "up_to_0.7": lambda point: point.utilisation <= BUSY,
    "0.7_to_0.9": lambda point: BUSY < point.utilisation <= FULL,
    "above_0.9": lambda point: point.utilisation > FULL,
    "poisson": lambda point: "bursty" not in point.kind and "shared" not in point.kind,
    "bursty": lambda point: "bursty" in point.kind,
    "shared_core": lambda point: "shared" in point.kind,
    "undisturbed": lambda point: not point.disturbed,
    "undisturbed_up_to_0.7": lambda point: not point.disturbed and point.utilisation <= BUSY,
}


def report(title: str, points: Sequence[Scored]) -> dict[str, object]:
    """Print a table of the points; the summary of all and of each cut."""
    table = Table(title=title)
    for name in ("point", "kind", "utilisation", "p50 ms", "p95 ms", "p99 ms", "p50 %", "p95 %", "p99 %", "load %"):
        table.add_column(name, justify="left" if name in {"point", "kind"} else "right")
    for point in points:
        table.add_row(
            point.name,
            point.kind + (" disturbed" if point.disturbed else ""),
            f"{point.utilisation:.2f}",
            *(f"{seen / 1000:.1f}" for seen in point.seen_us),
            *(f"{100 * error:+.1f}" for error in point.errors),
            f"{100 * (point.equivalent_load - 1):+.1f}",
        )
    console = Console(width=120)
    console.print(table)
    by_cut = {name: summary([point for point in points if holds(point)]) for name, holds in CUTS.items()}
    cuts = Table(title="absolute relative error in %, median | 90th percentile")
    for name in ("points of", "number", "p50", "p95", "p99", "equivalent load", "coverage"):
        cuts.add_column(name, justify="left" if name == "points of" else "right")
    for name, found in {"all": summary(points), **by_cut}.items():
        cuts.add_row(name, str(found["points"]), *_cells(found))
    console.print(cuts)
    return {**summary(points), "by": by_cut}


def _cells(found: dict[str, object]) -> Iterable[str]:
    for name in ("p50", "p95", "p99", "equivalent_load"):
        value = found.get(name)
        yield f"{value['median']} | {value['p90']}" if isinstance(value, dict) else ""
    yield str(found.get("coverage", ""))


def last_line(result: dict[str, object]) -> str:
    """The result as one line of JSON."""
    return json.dumps(result, separators=(",", ":"))
