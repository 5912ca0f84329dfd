"""`gridwright plan`: what would be done, what it would promise and cost, and why."""

from typing import TYPE_CHECKING

from controller.cli.arguments import DEFAULT_JOURNAL, AsJson, Environment, Folder, JournalFile, WhatRuns
from controller.cli.errors import Exit
from controller.cli.solver import loading_solver
from controller.cli.terminal import console, working, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from controller.cli.sources import Source
    from controller.documents import Documents
    from controller.summary import Proposal


def plan(
    path: Folder,
    *,
    environment: Environment = "",
    connections: WhatRuns = None,
    journal: JournalFile = DEFAULT_JOURNAL,
    as_json: AsJson = False,
) -> int:
    """Tell what would change, without changing anything.

    With --connections against what runs there, and what its journal remembers; without, no server is asked and the plan
    starts from nothing. Exits 0 when nothing would change, 2 when something would, 3 when no allowed plan was found,
    and 1 on errors.
    """
    from controller.cli.inputs import read
    from controller.decision import Verdict

    documents = read(path, environment, as_json=as_json)
    proposal = _against_what_runs(path, documents, connections, journal) if connections else _from_nothing(documents)
    if as_json:
        write_json(proposal)
    else:
        from controller.cli.plan_view import show

        show(console(), proposal)
    return {Verdict.KEEP: Exit.DONE, Verdict.CHANGE: Exit.CHANGE, Verdict.IMPOSSIBLE: Exit.IMPOSSIBLE}[
        proposal.plan.verdict
    ]


def _from_nothing(documents: "Documents") -> "Proposal":
    with loading_solver():
        from controller.cli.planning import decide_from_documents
    from controller.fleet import Fleet
    from controller.summary import propose

    return propose(decide_from_documents(documents), Fleet(), documents.policy.commit)


def _against_what_runs(source: "Source", documents: "Documents", connections: "Path", journal: "Path") -> "Proposal":
    import asyncio

    with loading_solver():
        from controller.cli.live import connections_at, look, running_fleet, watched
        from controller.planning.decide import decide
    from controller.loop.turn_policy import TurnPolicy
    from controller.summary import propose

    in_force = TurnPolicy(source.folder, source.load, documents.policy)

    async def answer() -> "Proposal":
        async with watched(in_force, connections_at(connections)) as live:
            with working("Looking at what runs"):
                snapshot, state, at = await look(live, documents.policy, journal)
        with working("Planning"):
            decision = decide(documents.policy, snapshot, state, at)
        return propose(decision, running_fleet(documents.policy, snapshot, state, at), documents.policy.commit)

    return asyncio.run(answer())
