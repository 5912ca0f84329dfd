"""Stand-ins as a process: a Triton at each pod of a server, and a gateway where one is asked for.

python -m tests.cluster.stand_in KUBECONFIG NOTES --models MODEL--VARIANT,… [--load-s 1]
    [--real FILE] [--gateway HOST:PORT --routes FOLDER --origins SITE,…]
"""

import argparse
import asyncio
import json
from pathlib import Path

from tests.cluster.stand_in.following import client
from tests.cluster.stand_in.gateway import Gateway
from tests.cluster.stand_in.notes import Notes
from tests.cluster.stand_in.pages import Pages
from tests.cluster.stand_in.pods import Tritons


def names(text: str) -> list[str]:
    """Names with commas between."""
    return [name for name in text.split(",") if name]


async def main(told: argparse.Namespace) -> None:
    notes, real = Notes(told.notes), json.loads(told.real.read_text()) if told.real else {}
    async with client(told.kubeconfig) as by, asyncio.TaskGroup() as group:
        group.create_task(Tritons(told.models, notes, told.load_s, real).follow(by))
        if told.gateway:
            gateway = Gateway(told.routes, told.origins, notes)
            host, _, port = told.gateway.rpartition(":")
            await Pages(gateway.answer).open(host, int(port))
            group.create_task(gateway.follow())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Stand-ins for the Tritons of a cluster and their gateway.")
    parser.add_argument("kubeconfig", type=Path)
    parser.add_argument("notes", type=Path)
    parser.add_argument("--models", type=names, required=True)
    parser.add_argument("--load-s", type=float, default=1.0)
    parser.add_argument("--real", type=Path, help="JSON: the addresses of a real Triton's ports by name, by node")
    parser.add_argument("--gateway", default="")
    parser.add_argument("--routes", type=Path)
    parser.add_argument("--origins", type=names, default=[])
    asyncio.run(main(parser.parse_args()))
