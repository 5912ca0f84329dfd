"""Leaders killed at random moments of transitions, and what an independent watcher holds against those that follow.

Two replicas of the whole controller run as processes on a real control plane with played nodes and stand-ins for Triton
and the gateway. Requests, bounds and nodes change; whoever leads is killed (SIGKILL), the other takes over, and the one
that was killed starts again and stands by. A process of its own records each change of each object, the stand-ins note
each load, unload and route, and the API server each write. From these alone it is judged whether an action was done
twice, lost or late, whether a write of an earlier term came after one of a later, and whether a hard rule was broken at
any moment. Prints each breach, a table and, as its last line, a JSON object; exits 1 where there is a breach.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.cluster.killing.ground import CERTIFIED, ground
from tests.cluster.killing.rounds import Rounds
from tests.cluster.starting import BUILT
from tests.cluster.watcher.judging import Judged, judged
from tests.cluster.watcher.seen import Seen


def main() -> int:
    """Kill, judge, and print what was found."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--count", type=int, default=100, help="how many leaders are killed")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--keep", type=Path, help="a new folder for all that is written down")
    given = asked.parse_args()
    began = time.monotonic()
    with _folder(given.keep) as work:
        with ground(BUILT, work) as there:
            Rounds(there, given.seed).run(given.count, lambda told: print(told, flush=True))
        found = judged(Seen(work), CERTIFIED)
    for name, breaches in found.breaches.items():
        for breach in breaches:
            print(f"{name}: {breach}")
    figures = {"seed": given.seed, "took_s": round(time.monotonic() - began), **figures_of(found)}
    for name, value in figures.items():
        print(f"{name:>20} {value}")
    print(json.dumps(figures))
    return 0 if found.is_clean else 1


def figures_of(found: Judged) -> dict[str, Any]:
    """The figures of what was found; times are seconds from a kill."""
    leased = [each.leased_s for each in found.takeovers]
    acted = [each.acted_s for each in found.takeovers]
    return {
        "kills": len(found.takeovers),
        "amid": sum(each.amid for each in found.takeovers),
        "before": sum(each.before for each in found.takeovers),
        "actions": found.actions,
        "writes": found.writes,
        "object_changes": found.changes,
        "leased_s_median": round(statistics.median(leased), 1),
        "leased_s_most": round(max(leased), 1),
        "acted_s_median": round(statistics.median(acted), 1),
        "acted_s_most": round(max(acted), 1),
        **{name.replace(" ", "_"): len(breaches) for name, breaches in found.breaches.items()},
    }


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True)
        yield kept
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


if __name__ == "__main__":
    sys.exit(main())
