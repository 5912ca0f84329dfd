"""Spoiled documents by the hundred thousand: none may break down the reader, hold it up, or be refused without a place.

Prints a table of what was found and, as its last line, a JSON object; ends with 1 where anything went wrong. A text is
made from its seed alone: COUNT=1 SEED=seed makes it again, and writes it where it is told.
"""

import argparse
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from types import FrameType
from typing import Final

from prediction_score import last_line
from rich.console import Console
from rich.table import Table
from spoiling import spoiled

from policy.findings import Level
from policy.source import Loaded, load_documents

ROOT: Final = Path(__file__).parents[1]
BLOCK: Final = 1_000
LONGEST_S: Final = 1.0
"""What one text may take."""
ENDED_S: Final = 20
"""After so long a text is given up."""
ALONE: Final = 10
"""One text of so many is read beside a good policy, of which each file is left out as likely as this."""
LEFT_OUT: Final = 0.2
MOST_TOLD: Final = 20


@dataclass(slots=True)
class Found:
    """What came of some texts: how many, which findings, what went wrong by seed, and the slowest in seconds."""

    texts: int = 0
    accepted: int = 0
    ids: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[int, str]] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, -1)

    def add(self, other: "Found") -> None:
        """Count the other's texts, too."""
        self.texts += other.texts
        self.accepted += other.accepted
        self.ids.update(other.ids)
        self.wrong += other.wrong
        self.slowest = max(self.slowest, other.slowest)


class GivenUpError(Exception):
    """A text held the reader up."""


def good_texts() -> list[str]:
    """The files of all examples and of the tests, broken ones included, and each of their documents alone."""
    files = sorted((*(ROOT / "examples").rglob("*.yaml"), *(ROOT / "tests" / "policy").rglob("*.yaml")))
    whole = [file.read_text(encoding="utf-8", errors="replace") for file in files]
    return [*whole, *(document for text in whole for document in text.split("\n---\n"))]


def good_policies() -> list[list[tuple[str, str]]]:
    """The files of each example, by name, and what the tests read beside broken documents."""
    examples = [path for path in (ROOT / "examples").iterdir() if path.is_dir()]
    found = [[(file.name, file.read_text(encoding="utf-8")) for file in path.glob("*.yaml")] for path in examples]
    return [*found, [("good.yaml", (ROOT / "tests" / "policy" / "good.yaml").read_text(encoding="utf-8"))]]


def _beside(dice: random.Random, policies: list[list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """A good policy, now and then without one of its files."""
    files = dice.choice(policies)
    return [file for file in files if len(files) == 1 or dice.random() > LEFT_OUT]


def block(seeds: range) -> Found:
    """Read the texts of these seeds."""
    signal.signal(signal.SIGALRM, _given_up)
    texts, policies, found = good_texts(), good_policies(), Found()
    for seed in seeds:
        dice = random.Random(seed)  # noqa: S311 - to be drawn again, not to be secret
        text = spoiled(dice, texts)
        beside = _beside(dice, policies) if seed % ALONE == 0 else []
        began = time.perf_counter()
        signal.alarm(ENDED_S)
        try:
            loaded = load_documents([("spoiled.yaml", text), *beside])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this text's outcome, and the others go on
            found.wrong.append((seed, f"breaks down: {type(error).__name__}: {error}"[:200]))
            continue
        finally:
            signal.alarm(0)
        took = time.perf_counter() - began
        found.slowest = max(found.slowest, (took, seed))
        found.wrong += [(seed, why) for why in _wrong(loaded, took)]
        found.accepted += loaded.policy is not None
        found.ids.update({finding.id for finding in loaded.findings})
        found.texts += 1
    return found


def _wrong(loaded: Loaded, took: float) -> Iterator[str]:
    if took > LONGEST_S:
        yield f"took {took:.2f} s"
    errors = [finding for finding in loaded.findings if finding.level is Level.ERROR]
    if (loaded.policy is None) != bool(errors):
        yield "is refused without an error, or taken with one"
    for finding in errors:
        if finding.place is None or finding.place.line < 1 or finding.place.column < 1:
            yield f"{finding.id} has no place"
        if not finding.message or not finding.hint:
            yield f"{finding.id} says nothing, or not what to do"


def _given_up(_: int, __: FrameType | None) -> None:
    raise GivenUpError(f"no answer within {ENDED_S} s")


def main() -> int:
    """Try them all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000, help="how many texts")
    parser.add_argument("--seed", type=int, default=0, help="the first text's seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", type=Path, help="where to write the first text")
    given, console = parser.parse_args(), Console()
    if given.write:
        given.write.write_text(spoiled(random.Random(given.seed), good_texts()), encoding="utf-8")  # noqa: S311 - as above
    seeds = range(given.seed, given.seed + given.count)
    blocks = [seeds[at : at + BLOCK] for at in range(0, len(seeds), BLOCK)]
    found, began, told = Found(), time.perf_counter(), time.perf_counter()
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        for some in pool.map(block, blocks):
            found.add(some)
            if time.perf_counter() - told > ENDED_S:
                told = time.perf_counter()
                console.print(f"{found.texts} of {len(seeds)}, {len(found.wrong)} wrong, {told - began:.0f} s")
    for seed, why in found.wrong[:MOST_TOLD]:
        console.print(f"seed {seed}: {why}", style="red", markup=False)
    table = Table(title=f"{found.texts} spoiled texts, {found.accepted} of them good policies")
    table.add_column("finding")
    table.add_column("texts", justify="right")
    for name, many in sorted(found.ids.items()):
        table.add_row(name, str(many))
    console.print(table)
    console.print(f"the slowest took {found.slowest[0] * 1000:.0f} ms (seed {found.slowest[1]})")
    print(
        last_line(
            {
                "texts": found.texts,
                "good": found.accepted,
                "wrong": len(found.wrong),
                "findings": len(found.ids),
                "slowest_seconds": round(found.slowest[0], 3),
                "seconds": round(time.perf_counter() - began, 1),
            }
        )
    )
    return 1 if found.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
