"""A replica as a process of its own: while it leads, it writes one object again and again, each time with its term.

python -m tests.cluster.leader KUBECONFIG NAME ACCOUNT NAMESPACE DURATION_S
"""

import asyncio
import itertools
import sys

from controller.cluster.api_server.calls import Calls, Limits
from controller.cluster.api_server.errors import CallError
from controller.cluster.api_server.reaching import client
from controller.cluster.api_server.resources import Resource
from controller.cluster.leading.fencing import Account, DeposedError, fence
from controller.cluster.leading.leader import Leadership
from controller.cluster.leading.lease import Timing
from controller.cluster.names import MANAGED_BY, MANAGER
from tests.cluster.api_server import Manifest

MAPS = Resource("v1", "configmaps")
WRITTEN = "written"
TERM = "term"
PAUSE_S = 0.02


async def main(kubeconfig: str, name: str, account: str, namespace: str, duration_s: int) -> None:
    timing = Timing(duration_s=duration_s, lead_s=duration_s * 0.7, look_s=duration_s / 5)
    async with client(kubeconfig=kubeconfig) as plain, client(kubeconfig=kubeconfig) as writing:
        leadership = Leadership(Calls(plain, Limits(deadline_s=timing.look_s, attempt_s=timing.look_s)), name, timing)
        fence(writing, leadership, Account(account))
        calls = Calls(writing, Limits(deadline_s=1.0))
        running = asyncio.create_task(leadership.run())
        running.add_done_callback(lambda task: task.result())
        for count in itertools.count():
            await leadership.led()
            try:
                manifest = written(namespace, leadership.term(), count)
                await calls.apply(MAPS.path(WRITTEN, namespace=namespace), manifest, MANAGER)
            except (CallError, DeposedError) as error:
                print(f"not written: {error}", flush=True)  # noqa: T201 -- for the log of the test
            await asyncio.sleep(PAUSE_S)


def written(namespace: str, term: str, count: int) -> Manifest:
    """What a leader writes: the term in which it believes itself to be."""
    metadata = {"name": WRITTEN, "namespace": namespace, "labels": {MANAGED_BY: MANAGER}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {TERM: term, "count": str(count)}}


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5], int(sys.argv[5])))
