"""`gridwright replay`: decide again what was decided before."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from controller.cli.arguments import AsJson
from controller.cli.errors import Exit, in_two
from controller.cli.journals import JOURNAL_HELP, kept_in
from controller.cli.solver import loading_solver
from controller.cli.terminal import console, working, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from controller.replay import Replayed
    from policy.findings import Finding

JournalFile = Annotated[Path, typer.Argument(metavar="JOURNAL", help=JOURNAL_HELP)]


def replay(journal: JournalFile, *, as_json: AsJson = False) -> int:
    """Check a journal's chain and take each of its decisions again, which must come out the same, byte for byte.

    What findings say may be put in other words by another release; how many are is told.
        Exits 0 when all is as it was written, 1 when anything differs.
    """
    from controller.journal.errors import JournalError

    try:
        findings, replayed = _replay(journal)
    except JournalError as error:
        raise in_two(error, ": ") from error
    same = not findings and all(not item.differences and not item.trouble for item in replayed)
    if as_json:
        write_json({"same": same, "findings": findings, "decisions": replayed})
    else:
        _show(console(), findings, replayed)
    return Exit.DONE if same else Exit.BAD_INPUT


def _replay(journal: Path) -> "tuple[tuple[Finding, ...], tuple[Replayed, ...]]":
    with loading_solver():
        from controller.planning.decide import decide
    from controller.journal.reader import reading
    from controller.replay import replay as again
    from policy.source import load_documents

    with reading(kept_in(journal)) as reader:
        with working("Checking the chain"):
            findings = tuple(reader.verify_chain())
        with working("Deciding again"):
            return findings, tuple(again(reader, decide, load_documents))


def _show(on: "Console", findings: "tuple[Finding, ...]", replayed: "tuple[Replayed, ...]") -> None:
    from controller.cli.findings import show

    show(on, findings)
    different = [item for item in replayed if item.differences or item.trouble]
    for item in different:
        on.print(f"{item.decision} at {item.at.isoformat()}: {item.trouble or 'came out otherwise'}", markup=False)
        for difference in item.differences:
            on.print(f"    {difference.field}: {difference.recorded} -> {difference.replayed}", markup=False)
    same, reworded = len(replayed) - len(different), sum(item.reworded for item in replayed)
    words = f" ({reworded} with findings in other words)" if reworded else ""
    on.print(f"{len(replayed)} decisions, {same} the same{words}, {len(different)} not")
