"""One turn of the loop with a question in the middle."""

import asyncio
import os
import signal
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path

import typer
from opentelemetry.trace import NoOpTracer

from collectors.snapshot import Snapshot
from controller.cli.errors import in_two
from controller.cli.live import DEADLINE_S, Live, now, running_fleet, watched
from controller.cli.plan_view import show
from controller.cli.sources import Source
from controller.cli.terminal import console
from controller.connections.connections import Connections, journal_place
from controller.decision import Decision, State
from controller.documents import Documents
from controller.journal.errors import JournalError
from controller.journal.writer import Journal
from controller.loop.resuming import resumed
from controller.loop.stopping import StoppedError, Stopping
from controller.loop.turn import Turned, Wiring, turn
from controller.loop.turn_policy import TurnPolicy
from controller.planning.decide import decide
from controller.planning.recheck import recheck
from controller.summary import propose
from controller.telemetry.phases import Phases
from policy.resolved import Policy
from policy.source import load_documents

INTERRUPTED = 130


class DeclinedError(Exception):
    """Somebody said no."""


class Conversation:
    """Shows the decision and asks. Ctrl-C means no until it was agreed to, and later: begin nothing more."""

    def __init__(self, *, ask: bool) -> None:
        self._ask = ask
        self._asking = False
        self.stopping = Stopping()

    def decide(self, policy: Policy, snapshot: Snapshot, state: State, at: datetime) -> Decision:
        """The decision, once it is agreed to. Raises DeclinedError. Runs in a thread."""
        decision = decide(policy, snapshot, state, at)
        show(console(), propose(decision, running_fleet(policy, snapshot, state, at), policy.commit))
        if self._ask and decision.acts:
            self._asking = True
            agreed = typer.confirm("\nCarry this out?")
            self._asking = False
            if not agreed:
                raise DeclinedError
        return decision

    def interrupt(self) -> None:
        """Ctrl-C. While the question stands a thread waits for the answer, and only the process's end ends that."""
        if self._asking:
            sys.stdout.write("\nNothing was changed.\n")
            sys.stdout.flush()
            os._exit(INTERRUPTED)
        self.stopping.tell()


async def apply_once(
    source: Source, documents: Documents, connections: Connections, file: Path, conversation: Conversation
) -> Turned | None:
    """Take one turn; None when it was declined. Raises CliError."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, conversation.interrupt)
    try:
        journal = journal_place(connections, file)
        with closing(Journal.open(journal)) as notes:
            memory = resumed(journal, load_documents)
            in_force = TurnPolicy(source.folder, source.load, documents.policy)
            async with watched(in_force, connections) as live:
                wiring = _wired(in_force, live, notes, conversation)
                return await turn(wiring, memory, Phases(NoOpTracer()), conversation.stopping)
    except (DeclinedError, StoppedError):
        return None
    except JournalError as error:
        raise in_two(error, ": ") from error


def _wired(in_force: TurnPolicy, live: Live, journal: Journal, conversation: Conversation) -> Wiring:
    return Wiring(
        folder=in_force.folder,
        load=in_force.load,
        collectors=live.collectors,
        servers=(live.servers, live.evidence),
        decide=conversation.decide,
        recheck=recheck,
        journal=journal,
        hands=live.hands,
        clock=now,
        routes=live.gateways,
        collect_deadline_s=DEADLINE_S,
    )
