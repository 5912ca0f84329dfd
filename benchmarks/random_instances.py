"""Engines against trying everything, on random instances so small that everything can be tried.

Prints a table by engine and by rule and, as its last line, a JSON object; ends with 1 where something differs. Each
instance is drawn from its seed alone: COUNT=1 SEED=seed KIND=kind tries it again.
"""

import argparse
import itertools
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final

import proving_packings
import proving_places
import proving_products
from prediction_score import last_line
from proving import Tally, Tried
from rich.console import Console
from rich.table import Table

KINDS: Final[dict[str, Callable[[int], Tried]]] = {
    "places": proving_places.tried,
    "products": proving_products.tried,
    "packings": proving_packings.tried,
}
BLOCK: Final = 100
MOST_PROCESSES: Final = 8
TOLD_EVERY_S: Final = 20.0
MOST_TOLD: Final = 20
"""Failures that are printed of each kind."""


def block(kind: str, seeds: range) -> list[Tried]:
    """Some instances of one kind; what breaks down is wrong as well."""
    return [_one(kind, seed) for seed in seeds]


def _one(kind: str, seed: int) -> Tried:
    try:
        return KINDS[kind](seed)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this instance's outcome, and the others go on
        return Tried((f"breaks down: {type(error).__name__}: {error}",), ())


def tally(kind: str, seeds: range, processes: int, console: Console) -> Tally:
    """Try all of them; tells how far it is now and then."""
    found, began, told = Tally(), time.perf_counter(), time.perf_counter()
    for seed, tried in zip(seeds, _tried(kind, seeds, processes), strict=True):
        found.add(seed, tried)
        if tried.wrong and len(found.failed) <= MOST_TOLD:
            console.print(f"{kind}, seed {seed}: {'; '.join(tried.wrong)}", style="red", markup=False)
        if time.perf_counter() - told > TOLD_EVERY_S:
            told = time.perf_counter()
            console.print(
                f"{kind}: {found.instances} of {len(seeds)}, {len(found.failed)} failed, {told - began:.0f} s"
            )
    return found


def _tried(kind: str, seeds: range, processes: int) -> Iterator[Tried]:
    blocks = [seeds[at : at + BLOCK] for at in range(0, len(seeds), BLOCK)]
    if processes == 1:
        return itertools.chain.from_iterable(block(kind, each) for each in blocks)
    return itertools.chain.from_iterable(_beside(kind, blocks, processes))


def _beside(kind: str, blocks: list[range], processes: int) -> Iterator[list[Tried]]:
    with ProcessPoolExecutor(processes, get_context("spawn")) as workers:
        yield from workers.map(block, itertools.repeat(kind), blocks)


def main() -> None:
    """Try so many instances of each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="instances of each kind")
    parser.add_argument("--seed", type=int, default=0, help="of the first; the others follow")
    parser.add_argument("--kind", choices=sorted(KINDS), help="this kind alone")
    parser.add_argument("--processes", type=int, default=min(MOST_PROCESSES, os.cpu_count() or 1))
    arguments = parser.parse_args()
    console = Console(width=120)
    seeds = range(arguments.seed, arguments.seed + arguments.count)
    result: dict[str, object] = {"seeds": [seeds.start, seeds.stop - 1]}
    failed = 0
    for kind in [arguments.kind] if arguments.kind else KINDS:
        began = time.perf_counter()
        found = tally(kind, seeds, arguments.processes, console)
        _print(kind, found, console)
        result[kind] = found.summary() | {"seconds": round(time.perf_counter() - began, 1)}
        failed += len(found.failed)
    print(last_line(result | {"failed": failed}))
    raise SystemExit(1 if failed else 0)


def _print(kind: str, found: Tally, console: Console) -> None:
    table = Table(title=f"{kind}: {found.instances} instances, {found.impossible} without any plan")
    for name in ("engine", "instances", "equal", "none", "mean gap", "worst gap"):
        table.add_column(name, justify="left" if name == "engine" else "right")
    for name, figures in found.by_engine():
        counts = (str(figures[key]) for key in ("instances", "equal", "none"))
        table.add_row(name, *counts, f"{figures['mean_gap_percent']} %", f"{figures['worst_gap_percent']} %")
    console.print(table)
    if found.in_play:
        table = Table(title="rules")
        for name in ("rule", "in play", "binding", "left out"):
            table.add_column(name, justify="left" if name == "rule" else "right")
        for name, count in sorted(found.in_play.items()):
            table.add_row(name, str(count), str(found.binding[name]), str(found.instances - count))
        console.print(table)


if __name__ == "__main__":
    main()
