"""`gridwright check --watch`: which findings come and go while the documents are edited."""

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from collectors.evidence.files import SIGNED
from controller.cli.findings import count, show, show_gone
from controller.cli.inputs import evidence_beside
from controller.cli.terminal import console
from policy.checks.endings import endings
from policy.findings import Finding, without
from policy.folder import SUFFIXES, Folder, as_octets
from policy.rereading import Rereading
from policy.source import EVIDENCE, Loaded

POLL_S: Final = 0.5
"""Between two looks at the folder."""


@dataclass(frozen=True, slots=True)
class Change:
    """The findings that one look has and the one before had not, and the other way round."""

    came: tuple[Finding, ...]
    went: tuple[Finding, ...]


def watch(folder: Path, environment: str = "") -> tuple[Finding, ...]:
    """Tell all findings, then what changes, until Ctrl-C; the findings at that moment."""
    out, looks = console(), _Looks(folder, environment)
    found = looks.look() or ()
    gc.freeze()  # what is remembered of the files stays: looking through it for garbage would take longer than a look
    show(out, found)
    out.print(f"{folder}: {count(found)}; watching until Ctrl-C")
    try:
        while True:
            time.sleep(POLL_S)
            now = looks.look()
            if now is None:
                continue
            change = changed(found, now)
            found = now
            if change.came or change.went:
                show_gone(out, change.went, "- ")
                show(out, change.came, "+ ")
                out.print(f"{folder}: {count(found)}")
    except KeyboardInterrupt:
        return found


def changed(before: Sequence[Finding], now: Sequence[Finding]) -> Change:
    """What came and went. A finding that only moved within its file, as lines were put in above it, did neither."""
    return Change(without(now, before), without(before, now))


class _Looks:
    """Looks at a folder, each of which reads only what changed since the one before."""

    def __init__(self, folder: Path, environment: str) -> None:
        self._folder = folder
        self._evidence_files = Folder(folder / EVIDENCE, as_octets, suffixes=(*SUFFIXES, *SIGNED))
        self._judged_by: object = None
        self._rereading = Rereading(folder, environment)
        self._loaded = Loaded(None)
        self._of_evidence: tuple[Finding, ...] = ()

    def look(self) -> tuple[Finding, ...] | None:
        """All findings, None when nothing that could change them has changed; a new minute could, by evidence."""
        now = datetime.now(UTC)
        loaded = self._rereading.load()
        self._loaded = loaded or self._loaded
        issuers = self._loaded.policy.issuers if self._loaded.policy else None
        judged_by = (self._evidence_files.read(), issuers, now.replace(second=0, microsecond=0))
        if loaded is None and judged_by == self._judged_by:
            return None
        if judged_by != self._judged_by:
            self._judged_by = judged_by
            evidence, findings = evidence_beside(self._folder, self._loaded.policy, now)
            self._of_evidence = (*findings, *endings(evidence, now))
        return (*self._loaded.findings, *self._loaded.of_tests, *self._of_evidence)
