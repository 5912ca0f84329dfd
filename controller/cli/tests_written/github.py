"""Results as workflow commands of GitHub Actions, which show them beside the lines of a pull request."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from controller.cli.findings_written.github import annotation
from controller.cli.tests_written.text import count
from controller.testing.coverage import Covered
from controller.testing.many import Timed


def commands(results: Sequence[Timed], covered: Sequence[Covered], folder: Path, here: Path) -> Iterator[str]:
    """A line for each thing that is wrong and each clause without a test, with files relative to `here`; the count."""
    for result in (each.result for each in results):
        for failure in result.failures:
            message = f"expected {failure.expected}; found {failure.found}"
            yield annotation("error", failure.place, folder, here, title=result.test, message=message)
        for trouble in result.troubles:
            message = f"{trouble.message} ({trouble.hint})"
            yield annotation("error", trouble.place, folder, here, title=result.test, message=message)
    for clause in covered:
        if not clause.tests:
            title = "no test covers this clause"
            yield annotation("warning", clause.place, folder, here, title=title, message=clause.clause)
    yield f"::notice title=gridwright test::{count(results)}"
