"""`gridwright apply`: one decision, carried out once somebody has agreed to it."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from controller.cli.arguments import DEFAULT_JOURNAL, ConnectionsFile, Environment, Folder, JournalFile
from controller.cli.errors import CliError, Exit
from controller.cli.solver import loading_solver
from controller.cli.terminal import console

if TYPE_CHECKING:
    from controller.loop.turn import Turned

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before acting.")]


def apply(
    path: Folder,
    *,
    connections: ConnectionsFile,
    environment: Environment = "",
    journal: JournalFile = DEFAULT_JOURNAL,
    yes: Yes = False,
) -> int:
    """Plan against what runs, show it, ask, and carry it out step by step.

    The journal takes note first. Exits 0 when all was done or nothing had to be, 3 when no allowed plan was found, and
    1 when it was declined or stopped on the way.
    """
    import asyncio

    from controller.cli.inputs import read

    if not yes and not sys.stdin.isatty():
        raise CliError("apply asks before it acts, and nobody is there to answer", "give --yes to have it act unasked")
    documents = read(path, environment)
    with loading_solver():
        from controller.cli.applying import Conversation, apply_once
        from controller.cli.live import connections_at
    conversation = Conversation(ask=not yes)
    source = path.within(environment)
    return _told(asyncio.run(apply_once(source, documents, connections_at(connections), journal, conversation)))


def _told(turned: "Turned | None") -> int:
    """What came of it, in words and as an exit status; None stands for a no."""
    from controller.cli.findings import show
    from controller.decision import Verdict

    out = console()
    if turned is None or turned.decision is None:
        out.print("Nothing was changed.")
        return Exit.BAD_INPUT
    for outcome in turned.carried.outcomes:
        seconds = (outcome.ended - outcome.started).total_seconds()
        out.print(f"{outcome.wave}: {outcome.error or 'done'} ({seconds:.1f} s)", markup=False)
    show(console(sys.stderr), turned.carried.findings)
    wanted = sum(len(wave.actions) for wave in turned.decision.transition.waves)
    done = sum(not outcome.error for outcome in turned.carried.outcomes)
    if turned.decision.acts:
        out.print(f"{done} of {wanted} actions done.")
    if turned.decision.verdict is Verdict.IMPOSSIBLE:
        return Exit.IMPOSSIBLE
    return Exit.DONE if done == wanted and turned.digest else Exit.BAD_INPUT
