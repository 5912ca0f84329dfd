"""A comparison of two policies, for a terminal and for a pull request."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from controller.cli import findings
from controller.cli.plan_view import HEADLINES, SIGNS, cost_told, milliseconds
from controller.cli.terminal import print_table
from controller.comparison import Comparison, Promise, Side
from controller.decision import Forecast, Verdict
from policy.findings import Finding
from policy.words import dollars_per_hour
from rules.kernel.quantities import percent

if TYPE_CHECKING:
    from rich.console import Console

NONE: Final = "-"
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~])")

Rows = Sequence[Sequence[str]]


def show(on: "Console", comparison: Comparison) -> None:
    """What changes, what is promised, and what there is to know that was not before."""
    on.print(_headline(comparison), markup=False)
    for title, columns, rows in _tables(comparison):
        on.print()
        print_table(on, title, columns, rows)
    for title, told in (("New findings", comparison.came), ("No longer found", comparison.went)):
        if told:
            on.print()
            on.print(f"[bold]{title}[/]")
            findings.show(on, told)


def markdown(comparison: Comparison) -> str:
    """The same for a comment on a pull request."""
    lines = [f"### Gridwright: {_escaped(_headline(comparison))}"]
    for title, columns, rows in _tables(comparison):
        lines += ["", f"**{title}**", "", _row(columns), _row(["---"] * len(columns))]
        lines += [_row([_escaped(cell) for cell in row]) for row in rows]
    for title, told in (("New findings", comparison.came), ("No longer found", comparison.went)):
        if told:
            lines += ["", f"**{title}**", "", *(_item(finding) for finding in told)]
    return "\n".join(lines)


def _headline(comparison: Comparison) -> str:
    before, after = comparison.before, comparison.after
    if after.verdict is Verdict.IMPOSSIBLE:
        return HEADLINES[Verdict.IMPOSSIBLE]
    if comparison.is_nothing:
        return f"nothing changes, at {_cost(after)}"
    change = after.cost_millicents_per_hour - before.cost_millicents_per_hour
    sign = "+" if change > 0 else "-"
    by = f" ({sign}{dollars_per_hour(abs(change))})" if change else ""
    moving = "" if after.at_rest else ", and the fleet does not come to rest"
    return f"{_cost(before)} becomes {_cost(after)}{by}{moving}"


def _cost(side: Side) -> str:
    return cost_told(side.cost_millicents_per_hour, side.links_millicents_per_hour)


def _tables(comparison: Comparison) -> Iterator[tuple[str, Sequence[str], Rows]]:
    changes = [(SIGNS[each.kind], each.subject, each.before, each.after) for each in comparison.changes]
    if changes:
        yield "Changes", ("", "what", "before", "after"), changes
    promises = [_promise(each) for each in comparison.promises if each.before != each.after]
    if promises:
        yield "Predicted", ("service", "origin", "p99 before", "p99 after", "served before", "served after"), promises


def _promise(promise: Promise) -> Sequence[str]:
    sides = (promise.before, promise.after)
    return (promise.service, promise.origin, *map(_tail, sides), *map(_served, sides))


def _tail(forecast: Forecast | None) -> str:
    return milliseconds(forecast.p99_us) if forecast and forecast.served_permille else NONE


def _served(forecast: Forecast | None) -> str:
    return percent(forecast.served_permille) if forecast else NONE


def _item(finding: Finding) -> str:
    where = finding.place or finding.subject
    at = f" `{where}`" if where else ""
    return f"- {finding.level} {finding.id}{at}: {_escaped(finding.message)} *{_escaped(finding.hint)}*"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    """The text as it is, whatever signs of Markdown are in it."""
    return _MARKUP.sub(r"\\\1", text)
