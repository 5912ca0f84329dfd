"""What `gridwright check` takes for many small documents, one a file and many a file.

Then what it takes to check again after one file was edited. Prints a table of seconds and, as its last line, a JSON
object. Times are processor time of this process; those of the command are of a process of its own, its start included.
"""

import argparse
import gc
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final, TypeVar

from check_documents import documents, files
from prediction_score import last_line
from rich.console import Console
from rich.table import Table

from policy.folder import read_texts
from policy.parse import parse
from policy.read_file import read_file
from policy.rereading import Rereading
from policy.source import loaded
from policy.uncollected import uncollected
from policy.validate import validate

EACH: Final = (1, 100)
"""Documents a file."""
EDITED: Final = 7
"""The file that is edited, by its place in their order."""
EDITS: Final = 9
COMMAND: Final = "from controller.cli import main; main()"

Result = TypeVar("Result")


class _Phases:
    """Seconds of processor time by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def take(self, name: str, work: Callable[[], Result]) -> Result:
        """The result of the work, whose time is noted."""
        before = time.process_time()
        result = work()
        self.seconds[name] = round(time.process_time() - before, 3)
        return result


def phases(folder: Path) -> dict[str, float]:
    """What each phase of reading the folder takes: all of each file for itself, then what is told of all together."""
    noted = _Phases()
    texts, _ = noted.take("read", lambda: read_texts(folder))
    parsed = noted.take("parse", lambda: [parse(name, text) for name, text in texts])
    noted.take("validate", lambda: [validate(document) for each in parsed for document in each.documents])
    files_read = {name: read_file(name, text) for name, text in texts}
    noted.take("together", lambda: loaded(texts, (), lambda name, _: files_read[name]))
    return noted.seconds


def edited(folder: Path) -> dict[str, float]:
    """What looking again takes, when nothing changed and after each of some edits of one file (the median)."""
    noted, seconds = _Phases(), []
    rereading = Rereading(folder)
    rereading.load()
    gc.freeze()
    noted.take("look again", rereading.load)
    file = sorted(folder.iterdir())[EDITED]
    for number in range(EDITS):
        file.write_text(file.read_text().replace("kind: ", f"# edit {number}\nkind: ", 1))
        before = time.process_time()
        found = rereading.load()
        seconds.append(time.process_time() - before)
        if found is None or found.findings:
            raise SystemExit("error: an edit of a comment went unnoticed, or made findings\nnext:  report it")
    gc.unfreeze()
    return {**noted.seconds, "after an edit": round(median(seconds), 3)}


def command(folder: Path) -> dict[str, float]:
    """What the whole command takes: processor time and wall time."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-c", COMMAND, "check", str(folder)], capture_output=True, text=True, check=False
    )
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ran.returncode or not ran.stdout.endswith("no findings\n"):
        raise SystemExit(f"error: the documents have findings: {ran.stdout[:500]}{ran.stderr[:500]}\nnext:  report it")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"command": round(spent, 3), "command, wall": round(wall, 3)}


def measured(number: int, each: int) -> dict[str, float]:
    """One folder of so many documents, so many a file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in files(documents(number), each).items():
            (folder / file).write_text(text)
        with uncollected():
            taken = phases(folder)
        return {"documents": number, "a file": each, **taken, **command(folder), **edited(folder)}


def main() -> None:
    """Measure both ways to lay the documents out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=10_000, help="how many")
    arguments = parser.parse_args()
    found = [measured(arguments.documents, each) for each in EACH]
    table = Table(title="gridwright check, seconds")
    for name in found[0]:
        table.add_column(name, justify="right")
    for item in found:
        table.add_row(*(str(value) for value in item.values()))
    Console(width=120).print(table)
    print(last_line({"folders": found}))


if __name__ == "__main__":
    main()
