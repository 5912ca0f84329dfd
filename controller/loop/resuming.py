"""Going on where the last controller stopped, from what the journal kept."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from controller.journal.place import Place
from controller.journal.reader import reading
from controller.loop.policies import InForce
from controller.loop.turn import Memory
from policy.source import Loaded

LoadDocuments = Callable[[Iterable[tuple[str, str]]], Loaded]


def resumed(journal: Place, load_documents: LoadDocuments) -> Memory:
    """The memory to start with; empty for a new journal.

    The policy that was in force then counts as the last good one, so that files that are broken at the start are no
    reason to stop looking after what runs. Raises JournalError.
    """
    with reading(journal) as reader:
        found = reader.resume()
    if found is None:
        return Memory()
    policy = load_documents(found.documents).policy
    return Memory(InForce(replace(policy, commit=found.commit) if policy else None), found.state)
