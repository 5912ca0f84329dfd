"""A reference instance a little later: a tenth of its demands changed by 30 % up or down, and a site that is lost.

`placement.py` then plans it from the plan that was running.
"""

import argparse
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any, Final

from placement_instances import read

CHANGED: Final = 0.1
BY: Final = (0.7, 1.3)
START_PRICE: Final = 0.1
"""Dollars an hour, as in the reference instances that have one."""


def changed(raw: dict[str, Any], plan: dict[str, Any], lost_instances: int, seed: int) -> dict[str, Any]:
    """The instance later; the lost site is the one whose instances in the plan are nearest to so many."""
    dice = random.Random(seed)  # noqa: S311 -- a benchmark's instance is no secret
    demands = [item | {"rate": item["rate"] * _factor(dice)} for item in raw["demands"]]
    site_of = {pool["id"]: pool["site"] for pool in raw["pools"]}
    held: Counter[int] = Counter()
    for pool, placed in plan["nodes"]:
        held[site_of[pool]] += len(placed)
    lost = min(held, key=lambda site: (abs(held[site] - lost_instances), site))
    pools = [item | {"count": 0} if item["site"] == lost else item for item in raw["pools"]]
    params = raw["params"] | {"churn_cost": raw["params"].get("churn_cost", START_PRICE)}
    return raw | {"params": params, "demands": demands, "pools": pools}


def _factor(dice: random.Random) -> float:
    return dice.choice(BY) if dice.random() < CHANGED else 1.0


def main() -> None:
    """Write the later instance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("instance", type=Path, help="an instance, slo-place/1")
    parser.add_argument("plan", type=Path, help="the plan that is running, slo-plan/1")
    parser.add_argument("output", type=Path, help="where to write the later instance")
    parser.add_argument("--lost", type=int, default=52, help="about how many instances stand at the site that is lost")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    later = changed(read(arguments.instance), read(arguments.plan), arguments.lost, arguments.seed)
    arguments.output.write_text(json.dumps(later), encoding="utf-8")
    print(f"{arguments.output}: plan it with --previous {arguments.plan}")


if __name__ == "__main__":
    main()
