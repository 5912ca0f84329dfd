"""The example's embedded fleet under load, with a controller that looks after it in a process of its own."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from controller.connections.reading import write_connections
from controller.embedded.fleet import embedded_fleet
from controller.embedded.traffic import DEPTH_PERMILLE, start_traffic
from policy.resolved import Policy
from policy.source import load

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Controlled:
    """A controller at work: its process id, its journal, the policy that it follows, and where runs are noted."""

    pid: int
    journal: Path
    policy: Policy
    results: Path


@contextmanager
def controlled_fleet(
    work: Path, changes: Mapping[str, str], factor: float, depth_permille: int = DEPTH_PERMILLE
) -> Iterator[Controlled]:
    """Start it all in `work` and end it all afterwards; `changes` are made to the documents, pattern by pattern."""
    shutil.copytree(ROOT / "examples" / "embedded", work / "policy")
    for file in (work / "policy").glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        for pattern, replacement in changes.items():
            text = re.sub(pattern, replacement, text)
        file.write_text(text, encoding="utf-8")
    policy = load(work / "policy").policy
    if policy is None:
        raise SystemExit("the example's policy is broken: `gridwright check examples/embedded` tells where")
    with embedded_fleet(policy, ROOT / ".venv-triton", work / "fleet", paced=True) as fleet, ExitStack() as stack:
        connections, journal = work / "connections.json", work / "journal.sqlite"
        write_connections(fleet.connections, connections)
        log = stack.enter_context((work / "controller.log").open("wb"))
        gridwright = Path(sys.executable).with_name("gridwright")
        child = subprocess.Popen(
            [gridwright, "run", work / "policy", "--connections", connections, "--journal", journal],
            stdout=log,
            stderr=log,
        )
        stack.callback(child.wait)
        stack.callback(child.terminate)
        traffic = start_traffic(policy, fleet, work / "fleet", factor, depth_permille=depth_permille)
        yield Controlled(child.pid, journal, policy, traffic.results)
