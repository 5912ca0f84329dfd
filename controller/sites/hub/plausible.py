"""What a report may say: numbers that can be, and findings in so many words. A site is trusted with itself alone."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from controller.sites.report import Report
from policy.findings import Finding

MOST: Final = 2**53
"""No number in a report is larger: what counts in microseconds comes there after 285 years."""
MOST_INSTANCES: Final = 1_000
"""Of one model on one server."""
MOST_CHARACTERS: Final = 500
MOST_FINDINGS: Final = 20
OF_THE_LOOP: Final = "GW3"
"""Findings of the controller's own loop, by which it goes: no site makes them."""


def flaw(report: Report) -> str:
    """Why a report cannot be true; empty where it can."""
    for name in ("generation", "sequence"):
        if not 0 <= getattr(report, name) <= MOST:
            return f"its {name} is {getattr(report, name)}"
    if any(not 0 <= number <= MOST for number in _integers(msgspec.to_builtins(report.seen))):
        return f"a number in it is negative, or over {MOST}"
    for server in report.seen.servers:
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


def _integers(value: Any) -> Iterable[int]:
    if isinstance(value, int):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _integers(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _integers(item)
