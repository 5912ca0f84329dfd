"""A device's profile from somebody else's measurements: perf_analyzer's, Model Analyzer's, or a published table."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from controller.performance.tables.measurement import Measurement
from controller.profiling.document import Profiled

NOT_IN_NAMES = re.compile(r"[^a-z0-9.]+")


class TableUseError(Exception):
    """The rows do not make a profile; the message says which are missing."""


def from_rows(rows: Sequence[Measurement], device: str, variant: str = "") -> tuple[Profiled, ...]:
    """The variants of one device of the table. Without a `variant`, precision and engine name it.

    For each batch size the rows of least concurrency count, where requests wait least for each other; of several
    set-ups, the one that is fastest then. Raises TableUseError.
    """
    groups: dict[tuple[str, str], list[Measurement]] = defaultdict(list)
    for row in rows:
        if row.device == device:
            groups[named(row.setup.model), variant or _variant(row)].append(row)
    if not groups:
        known = ", ".join(sorted({row.device or "unnamed" for row in rows}))
        raise TableUseError(f"no row is of the device {device!r}: give one of {known}")
    return tuple(_profiled(model, name, group) for (model, name), group in sorted(groups.items()))


def named(text: str) -> str:
    """The text as a name of the policy language; empty when nothing of it can stay."""
    return NOT_IN_NAMES.sub("-", text.lower()).strip("-.")


def _variant(row: Measurement) -> str:
    return "-".join(part for part in (named(row.setup.precision), named(row.setup.engine)) if part) or "default"


def _profiled(model: str, variant: str, rows: Sequence[Measurement]) -> Profiled:
    fastest: dict[int, Measurement] = {}
    for row in rows:
        best = fastest.get(row.batch)
        if best is None or (row.concurrency, row.mean_ms) < (best.concurrency, best.mean_ms):
            fastest[row.batch] = row
    if 1 not in fastest:
        raise TableUseError(f"{model}/{variant} has no row of batch 1, which every profile begins with: measure it")
    chosen = [fastest[batch] for batch in sorted(fastest)]
    return Profiled(
        model, variant, tuple((row.batch, 1000 * row.mean_ms) for row in chosen), notes=tuple(_notes(chosen, rows))
    )


def _notes(chosen: Sequence[Measurement], rows: Sequence[Measurement]) -> Iterable[str]:
    yield "from a table of whole requests: the way to the server and back is part of each time"
    busiest = max(row.concurrency for row in chosen)
    if busiest > 1:
        yield f"with up to {busiest} requests at once: waiting for each other is part of the times"
    setups = len({row.setup for row in rows})
    if setups > 1:
        yield f"the fastest of {setups} set-ups for each batch size"
