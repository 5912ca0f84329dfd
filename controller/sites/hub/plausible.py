"""What a report may say: numbers that can be, and findings in so many words. A site is trusted with itself alone."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from collectors.snapshot import Snapshot
from controller.sites.report import Report
from policy.findings import Finding
from policy.resolved import WHOLE_PERMILLE

MOST: Final = 2**53
"""No number in a report is larger: what counts in microseconds comes there after 285 years."""
MOST_S: Final = 10**9
"""No span in a report is longer, so that an instant less a span is always one."""
LEAST_WINDOW_S: Final = 0.001
"""What is counted is divided by the time for which it was."""
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
"""Between these is what a site's clock shows, also one that has forgotten the time."""
MOST_INSTANCES: Final = 1_000
"""Of one model on one server."""
MOST_CHARACTERS: Final = 500
MOST_FINDINGS: Final = 20
OF_THE_LOOP: Final = "GW3"
"""Findings of the controller's own loop, by which it goes: no site makes them."""


def flaw(report: Report) -> str:
    """Why a report cannot be true; empty where it can."""
    for name in ("generation", "sequence", "taken_up"):
        if not 0 <= getattr(report, name) <= MOST:
            return f"its {name} is {getattr(report, name)}"
    counts = tuple(sketch.count for sketch in report.sketches)
    values = _values(msgspec.to_builtins((counts, report.at, report.seen, report.routes), builtin_types=(datetime,)))
    wrong = next(filter(None, map(_wrong, values)), "")
    if wrong:
        return wrong
    if any(sum(way.weight_permille for way in item.ways) > WHOLE_PERMILLE for item in report.routes):
        return f"the weights of a demand's ways are over {WHOLE_PERMILLE} together"
    return _flaw_of_counts(report.seen)


def _flaw_of_counts(seen: Snapshot) -> str:
    """Why what was counted cannot be: the loop divides by it."""
    counted = (*(item.counters.value for item in seen.work), *(item.reading.value for item in seen.offered))
    if any(each is not None and each.window_s < LEAST_WINDOW_S for each in counted):
        return f"something in it was counted for less than {LEAST_WINDOW_S:g} s"
    times = (time for item in seen.batches for time in item.reading.value or ())
    if any(time.batch < 1 or time.executions < 1 for time in times):
        return "executions in it are none, or of nothing"
    for server in seen.servers:
        state = server.reading.value
        if state and any(model.instances > MOST_INSTANCES for model in state.models):
            return f"a model on {server.name} has over {MOST_INSTANCES} instances"
    return ""


def told(report: Report, site: str) -> tuple[Finding, ...]:
    """The findings of a site as they are passed on: shortened, of the site, and of no place in the policy."""
    return tuple(
        Finding(
            each.id,
            each.level,
            each.message[:MOST_CHARACTERS],
            each.hint[:MOST_CHARACTERS],
            subject=f"site {site}{f', {each.subject}' if each.subject else ''}"[:MOST_CHARACTERS],
        )
        for each in report.findings[:MOST_FINDINGS]
        if not each.id.startswith(OF_THE_LOOP)
    )


def _wrong(value: object) -> str:
    """Why a value cannot be; empty where it can."""
    match value:
        case datetime(tzinfo=None):
            return f"{value.isoformat()} has no offset from UTC"
        case datetime() if not FIRST <= value <= LAST:
            return f"an instant in it is {value.isoformat()}"
        case int() if not 0 <= value <= MOST:
            return f"a number in it is negative, or over {MOST}"
        case float() if not -1 <= value <= MOST_S:  # a correlation may be below zero, and nothing else is
            return f"a number in it is {value:g}"
        case _:
            return ""


def _values(value: Any) -> Iterable[object]:
    """All values in what was told, however deep."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _values(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _values(item)
    else:
        yield value
