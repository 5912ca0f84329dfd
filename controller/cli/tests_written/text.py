"""Results for people: a line a test, and below it what was expected and what there is instead."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.text import Text

from controller.cli.terminal import print_table
from controller.testing.coverage import Covered
from controller.testing.many import Timed
from controller.testing.results import Failure, Outcome, Trouble

if TYPE_CHECKING:
    from rich.console import Console

STYLES: Final = {Outcome.PASSED: "green", Outcome.FAILED: "bold red", Outcome.BROKEN: "bold yellow"}


def show(on: "Console", results: Sequence[Timed], covered: Sequence[Covered] | None = None) -> None:
    """Every test, then how many there are of each outcome; and the clauses with the tests that cover them."""
    for each in results:
        result = each.result
        head = (result.outcome.value, STYLES[result.outcome])
        on.print(Text.assemble(head, f" {result.test} ", (f"({result.place}, {each.seconds:.1f} s)", "dim")))
        for failure in result.failures:
            _show_failure(on, failure)
        for trouble in result.troubles:
            _show_trouble(on, trouble)
    on.print(count(results))
    if covered is not None:
        on.print()
        _show_covered(on, covered)


def count(results: Sequence[Timed]) -> str:
    """How many there are of each outcome, such as `3 passed, 1 failed`."""
    numbers = {outcome: sum(each.result.outcome is outcome for each in results) for outcome in Outcome}
    return ", ".join(f"{number} {outcome}" for outcome, number in numbers.items() if number)


def _show_failure(on: "Console", failure: Failure) -> None:
    on.print(Text.assemble((f"  {failure.place}", "bold"), f" step {failure.step}"))
    on.print(Text.assemble(("    - expected: ", "green"), failure.expected))
    on.print(Text.assemble(("    + found:    ", "red"), failure.found))


def _show_trouble(on: "Console", trouble: Trouble) -> None:
    on.print(Text.assemble((f"  {trouble.place}", "bold"), f" {trouble.message}"))
    on.print(Text(f"    {trouble.hint}", style="dim"))


def _show_covered(on: "Console", covered: Sequence[Covered]) -> None:
    rows = [(each.clause, str(each.place), ", ".join(each.tests) or "-") for each in covered]
    print_table(on, "Clauses", ("clause", "at", "covered by"), rows)
    number = sum(bool(each.tests) for each in covered)
    on.print(f"{number} of {len(covered)} clauses are covered")
