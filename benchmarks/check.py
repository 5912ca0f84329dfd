"""What `gridwright check` takes for many small documents, one a file and many a file.

Prints a table of seconds and, as its last line, a JSON object. Times of phases are processor time of this process;
those of the command are of a process of its own, its start included.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from check_documents import documents, files
from prediction_score import last_line
from rich.console import Console
from rich.table import Table

from policy.checks import check
from policy.checks.references import Unread
from policy.folder import read_texts
from policy.parse import parse
from policy.resolve import resolve
from policy.uncollected import uncollected
from policy.validate import validate

EACH: Final = (1, 100)
"""Documents a file."""
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
    """What each phase of reading the folder takes."""
    noted = _Phases()
    texts, _ = noted.take("read", lambda: read_texts(folder))
    parsed = noted.take("parse", lambda: [parse(name, text) for name, text in texts])
    found = [document for each in parsed for document in each.documents]
    judged = noted.take("validate", lambda: [validate(document)[0] for document in found])
    valid = [each for each in judged if each is not None]
    policy, _ = noted.take("resolve", lambda: resolve(valid, tuple(texts)))
    noted.take("check", lambda: check(policy, valid, Unread()))
    return noted.seconds


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
        return {"documents": number, "a file": each, **taken, **command(folder)}


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
