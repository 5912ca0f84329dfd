"""A policy that cannot be met: it says which clauses clash, degrades in order, and keeps the rest running."""

from pathlib import Path

from controller.embedded.demo.stage import Seen, Stage, told
from policy.findings import Finding

FOUND_WITHIN_S = 25
WATCH_S = 8.0
BACK_WITHIN_S = 25
HOPELESS = "20ms"


async def play(stage: Stage) -> Seen:
    """Ask a latency of the first service that no network can give, look, and take the request back."""
    strained = max(stage.policy.services, key=lambda service: len(service.stages))
    others = [service.name for service in stage.policy.services if service is not strained]
    place = strained.latency[0].place
    file = stage.folder / place.file
    text = file.read_text(encoding="utf-8")
    file.write_text(_hopeless(text, place.line, file), encoding="utf-8")
    found = await stage.until(lambda: _conflict(stage) is not None and stage.settled(), FOUND_WITHIN_S)
    conflict, level = _conflict(stage), _level(stage, strained.name)
    start_s = stage.now_s()
    await stage.rest(WATCH_S)
    end_s = stage.now_s()
    await stage.rest(1)
    p99_ms = {name: value for name, value in stage.p99_ms(start_s, end_s).items() if name in others}
    failed = sum(not call.ok for name in others for call in stage.recording.between(name, start_s, end_s))
    file.write_text(text, encoding="utf-8")
    back = await stage.until(
        lambda: _conflict(stage) is None and stage.settled() and not _level(stage, strained.name), BACK_WITHIN_S
    )
    named = conflict is not None and f"{place.file}:{place.line}:" in conflict.message
    return Seen(
        f"a finding names the clashing clauses, {strained.name} goes through its degrade order, the rest keeps its "
        "objectives; with the old policy all is served again",
        f"{conflict.message if conflict else 'no finding'}; {strained.name} at level {level} of "
        f"{len(strained.degrade)} + 1; others: p99 {told(p99_ms)}, {failed} not answered; "
        f"{'served again' if back else 'not served again'} afterwards",
        found and named and level == len(strained.degrade) + 1 and stage.met(p99_ms) and not failed and back,
    )


def _hopeless(text: str, line: int, file: Path) -> str:
    """The document with the latency bound on one line made hopeless."""
    lines = text.splitlines(keepends=True)
    before, bound, after = lines[line - 1].partition("below: ")
    if not bound:
        raise ValueError(f"{file}:{line} states no `below:` on one line with its objective")
    end = min((index for mark in ",}\n" if (index := after.find(mark)) >= 0), default=len(after))
    lines[line - 1] = f"{before}{bound}{HOPELESS}{after[end:]}"
    return "".join(lines)


def _conflict(stage: Stage) -> Finding | None:
    decision = stage.status().decision
    return next((f for f in (decision.findings if decision else ()) if f.id == "GW2011"), None)


def _level(stage: Stage, service: str) -> int:
    decision = stage.status().decision
    return decision.plan.level(service) if decision else 0
