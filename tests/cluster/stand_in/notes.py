"""What stand-ins note of what is done to them: a line of JSON for each, as it happens."""

import json
import time
from pathlib import Path
from typing import Any


class Notes:
    """A file of notes, each with the time by the clock of the machine."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("a", buffering=1)

    def note(self, what: str, **more: Any) -> None:
        """Add a note."""
        self._file.write(json.dumps({"at": time.time(), "what": what, **more}) + "\n")
