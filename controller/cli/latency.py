"""What `gridwright explain --latency` shows."""

from pathlib import Path
from typing import TYPE_CHECKING

from controller.cli.errors import CliError, in_two
from controller.cli.journals import kept_in
from controller.cli.solver import loading_solver
from controller.cli.terminal import print_table, working
from controller.documents import Documents

if TYPE_CHECKING:
    from rich.console import Console

    from controller.diagnosis import Diagnosis, Part


def from_documents(documents: Documents, service: str) -> "tuple[Diagnosis, ...]":
    """What is predicted of a fleet on which nothing runs yet."""
    from datetime import UTC, datetime

    with loading_solver():
        from controller.planning.build import build
        from controller.planning.decide import decide
    from controller.decision import State
    from controller.diagnosis import Case, diagnose
    from controller.documents import observe

    now = datetime.now(UTC)
    snapshot = observe(documents.policy, documents.evidence, now)
    with working("Planning"):
        decision = decide(documents.policy, snapshot, State(), now)
        problem = build(documents.policy, snapshot, decision.state, now).whole
    return diagnose(Case(problem, decision, snapshot), service)


def from_journal(journal: Path, service: str) -> "tuple[Diagnosis, ...]":
    """What was predicted and seen at the last decision of a journal that kept what ran.

    Raises CliError.
    """
    with loading_solver():
        from controller.planning.build import build
        from controller.planning.decide import decide
    from controller.diagnosis import Case, diagnose
    from controller.journal.errors import JournalError
    from controller.journal.reader import reading
    from policy.source import load_documents

    try:
        with reading(kept_in(journal)) as reader:
            for decided in reader.decisions(newest_first=True):
                if not _at_rest(bytes(decided.result)):
                    continue
                policy = load_documents(reader.documents(decided)).policy
                if policy is None:
                    break
                given = (policy, decided.snapshot, decided.state, decided.at)
                decision = decide(*given)
                problem = build(policy, decided.snapshot, decision.state, decided.at).whole
                return diagnose(Case(problem, decision, decided.snapshot), service)
    except JournalError as error:
        raise in_two(error, ": ") from error
    raise CliError(
        f"journal {journal} has no decision at rest", "wait until the fleet has settled, or leave --journal away"
    )


def _at_rest(result: bytes) -> bool:
    """Whether an encoded decision was to keep what ran, so that what was seen then is of its plan."""
    import msgspec

    class Decided(msgspec.Struct):
        verdict: str

    return msgspec.json.decode(result, type=Decided).verdict == "keep"


def show(on: "Console", found: "tuple[Diagnosis, ...]") -> None:
    """A table for each demand, and the part that differs most."""
    for item in found:
        rows = [(part.stage, _what(part), *_cells(part)) for part in item.parts]
        columns = ("where", "part", "predicted p50", "predicted p99", "seen p50", "seen p99")
        print_table(on, f"{item.service} from {item.origin}", columns, rows)
        on.print(_verdict(item), markup=False)
        on.print()


def _what(part: "Part") -> str:
    if part.calls > 1:
        return f"{part.what} (slowest of {part.calls}; seen: each)"
    slower_percent = round(100 * (part.slowdown - 1))
    return f"{part.what} ({slower_percent} % longer by neighbours)" if slower_percent else part.what


def _cells(part: "Part") -> tuple[str, str, str, str]:
    seen = part.seen_us or (None, None)
    p50, p99, seen_p50, seen_p99 = ("-" if us is None else f"{us / 1000:.3g} ms" for us in (*part.predicted_us, *seen))
    return p50, p99, seen_p50, seen_p99


def _verdict(item: "Diagnosis") -> str:
    if all(part.seen_us is None for part in item.parts):
        return "nothing was seen of it: --journal FILE names the journal of a controller at work"
    if item.cause is None:
        return "every part is about as predicted"
    part = item.parts[item.cause]
    seen_us = part.seen_us[1] if part.seen_us else 0
    direction = "longer" if seen_us > part.predicted_us[1] else "shorter"
    return f"the largest difference: {part.what} at {part.stage} takes {direction} than predicted"
