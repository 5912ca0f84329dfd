"""The traces that forecasts are scored on, as counts by interval; a missing interval is None."""

import csv
import io
import math
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from controller.demand.history import DAY_S

MINUTE_S = 60
AZURE_INTERVAL_S = 10
SERVEGEN_INTERVAL_S = 600
MOST_BYTES = 64 * 1024 * 1024
MOST_ROWS = 1_000_000
SERVEGEN = {"m-small": "chat", "deepseek-r1": "reasoning", "mm-image": "images"}
"""Folders of the archive, and what each is called here."""

Counts = list[float | None]


@dataclass(frozen=True, slots=True)
class Trace:
    """One or more series of the same interval, scored together, at some horizons in intervals."""

    name: str
    interval_s: int
    horizons: tuple[int, ...]
    series: tuple[Counts, ...]


def traces(folder: Path) -> Iterator[Trace]:
    """Every trace of the folder that is known here."""
    yield Trace("twitter", MINUTE_S, (1, 5), (twitter(folder / "twitter_per_minute.csv"),))
    yield Trace("nasa", MINUTE_S, (1, 5), (nasa(folder / "nasa_per_minute.csv"),))
    yield Trace("azure-code", AZURE_INTERVAL_S, (1, 6), (azure(folder / "azure_llm_2023_code.csv"),))
    for name, clients in servegen(folder / "servegen" / "servegen_small_r1_mm_client_traces.tar.gz").items():
        whole: Counts = [sum(value or 0.0 for value in values) for values in zip(*clients, strict=True)]
        yield Trace(f"servegen-{name}", SERVEGEN_INTERVAL_S, (1,), (whole,))
        yield Trace(f"servegen-{name}-clients", SERVEGEN_INTERVAL_S, (1,), tuple(clients))


def twitter(path: Path) -> Counts:
    """No minute of that service is without a tweet: the 22 stretches of zeros are gaps of the collection."""
    return [count or None for count in _column(path, 1)]


def nasa(path: Path) -> Counts:
    """Zeros are counts here, but for the stretch from 1 to 3 August 1995 when a hurricane had the server shut down."""
    counts: Counts = list(_column(path, 1))
    longest = max(_zero_stretches(counts), key=len)
    return [None if i in longest else count for i, count in enumerate(counts)]


def azure(path: Path) -> Counts:
    """Requests by 10 s, from their instants."""
    instants = [datetime.fromisoformat(row[0][:26]).timestamp() for row in _rows(path)[1:]]
    by_interval = Counter(int((instant - instants[0]) // AZURE_INTERVAL_S) for instant in instants)
    return [float(by_interval[i]) for i in range(max(by_interval))]


def servegen(path: Path) -> dict[str, list[Counts]]:
    """Counts by 600 s of each client, from its rate in that time, by workload."""
    found: dict[str, list[Counts]] = {}
    with tarfile.open(path) as archive:
        for member in sorted(archive.getmembers(), key=lambda item: item.name):
            if not member.isfile() or not member.name.endswith(".csv") or member.size > MOST_BYTES:
                continue
            content = archive.extractfile(member)
            if content is None:
                continue
            rows = csv.reader(io.TextIOWrapper(content, encoding="utf-8"))
            counts: Counts = [float(row[1]) * SERVEGEN_INTERVAL_S for row in rows]
            found.setdefault(SERVEGEN[Path(member.name).parent.name], []).append(counts)
    return found


def table(path: Path) -> Trace:
    """A table `time,rate`, headed or not: seconds or an ISO instant, and requests/s in the interval from then on.

    The interval is the least distance of two rows; where rows are left out or a rate is empty, intervals are missing.

    Raises:
        SystemExit: for a table that cannot be read so, with the line.
    """
    rows = _rows(path)
    rows = rows[1:] if rows and not _is_time(rows[0][0]) else rows
    try:
        points = [(_seconds(row[0]), float(row[1]) if row[1].strip() else math.nan) for row in rows]
    except (ValueError, IndexError) as error:
        raise SystemExit(f"{path}: {error}; give rows of time,rate") from error
    steps = [after[0] - before[0] for before, after in pairwise(points)]
    if not steps or min(steps) <= 0:
        raise SystemExit(f"{path}: give two rows or more, later ones below earlier ones")
    interval_s = _dividing_day(min(steps))
    rates = {round((time_s - points[0][0]) / interval_s): rate for time_s, rate in points}
    length = max(rates) + 1
    if length > MOST_ROWS:
        raise SystemExit(f"{path}: {length} intervals of {interval_s} s are more than {MOST_ROWS}: cut the table")
    counts = [rates.get(i, math.nan) * interval_s for i in range(length)]
    horizons = (1, 5) if interval_s <= MINUTE_S else (1,)
    return Trace(path.stem, interval_s, horizons, ([None if math.isnan(count) else count for count in counts],))


def _dividing_day(step_s: float) -> int:
    """The shortest whole number of seconds, not below the step, that divides a day."""
    least = max(1, math.ceil(step_s - 1e-6))
    return next((s for s in range(least, DAY_S) if DAY_S % s == 0), DAY_S)


def _is_time(text: str) -> bool:
    try:
        _seconds(text)
    except ValueError:
        return False
    return True


def _seconds(text: str) -> float:
    """Seconds of a number or an ISO instant."""
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text.strip()).timestamp()


def _rows(path: Path) -> list[list[str]]:
    """The rows of a CSV file that is not too large to be read."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise SystemExit(f"{path}: {size} bytes are more than {MOST_BYTES}: cut it")
        with path.open(encoding="utf-8", newline="") as file:
            return [row for row in csv.reader(file) if row]
    except OSError as error:
        raise SystemExit(f"{path}: {error.strerror}; name the folder of the traces with TRACES=folder") from error


def _column(path: Path, at: int) -> list[float]:
    """A column of numbers under a header."""
    return [float(row[at]) for row in _rows(path)[1:]]


def _zero_stretches(counts: Sequence[float | None]) -> Iterable[range]:
    """Where zeros follow one another."""
    edges = [-1, *(i for i, count in enumerate(counts) if count), len(counts)]
    return (range(before + 1, after) for before, after in pairwise(edges))
