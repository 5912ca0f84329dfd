"""A policy that is loaded again and again while people edit it: only what changed is read, parsed and validated."""

from collections.abc import Sequence
from pathlib import Path

from policy.environments import chosen
from policy.findings import Finding
from policy.folder import Folder, as_text
from policy.read_file import ReadFile, read_file
from policy.source import EVIDENCE, Loaded, loaded


class Reread:
    """The policy of texts as `load` gives it, with each text's own part remembered by its name and text."""

    def __init__(self, environment: str = "") -> None:
        self._chosen = chosen(environment)
        self._before: tuple[list[tuple[str, str]], list[Finding]] | None = None
        self._known: dict[tuple[str, str], ReadFile] = {}

    def load(self, texts: Sequence[tuple[str, str]], findings: Sequence[Finding]) -> Loaded | None:
        """What (name, text) pairs hold, and what kept others from being pairs; None when that is what it was before."""
        now = list(texts), list(findings)
        if now == self._before:
            return None
        self._before = now
        known, self._known = self._known, {}

        def read(name: str, text: str) -> ReadFile:
            file = known.get((name, text)) or read_file(name, text)
            self._known[name, text] = file
            return file

        return loaded([*texts, *self._chosen], findings, read)


class Rereading:
    """The policy of a folder as `load` gives it, reread."""

    def __init__(self, folder: Path, environment: str = "") -> None:
        self._folder = Folder(folder, as_text, skip=EVIDENCE)
        self._reread = Reread(environment)

    def load(self) -> Loaded | None:
        """What the folder holds now; None when that is what it held before."""
        return self._reread.load(*self._folder.read())
