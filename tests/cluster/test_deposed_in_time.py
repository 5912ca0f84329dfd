"""When a leader learns that another may lead: at an API server that is played, as no machine here can be suspended."""

import asyncio
import json
import time
from typing import Any

import httpx

from controller.background import in_background
from controller.cluster.api_server.calls import Calls, Limits
from controller.cluster.leading.fencing import REFUSAL
from controller.cluster.leading.leader import Leadership
from controller.cluster.leading.lease import Timing

TIMING = Timing(lead_s=60.0, look_s=0.1)


class Server:
    """One lease, by which it holds writes; or it does not answer."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.is_silent = False
        self._version = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_silent:
            raise httpx.ConnectError("nobody answers", request=request)
        if request.method in ("POST", "PUT"):
            self._version += 1
            self.lease = json.loads(request.content)
            self.lease["metadata"]["resourceVersion"] = str(self._version)
        elif request.method == "PATCH" and self.lease is not None:
            spec = self.lease["spec"]
            message = f"{REFUSAL} {spec['leaseTransitions']}.{spec['holderIdentity']}, and this is of none"
            return httpx.Response(403, json={"kind": "Status", "message": message, "reason": "Forbidden"})
        return httpx.Response(200, json=self.lease) if self.lease else httpx.Response(404, json={"kind": "Status"})


async def test_a_leader_that_was_suspended_breaks_off_what_it_does_as_soon_as_it_is_back() -> None:
    server, suspended_s = Server(), 0.0

    def clock() -> float:
        return time.monotonic() + suspended_s

    async with httpx.AsyncClient(transport=httpx.MockTransport(server.answer), base_url="https://cluster") as client:
        leadership = Leadership(Calls(client, Limits(deadline_s=0.1)), "me", TIMING, clock)
        async with in_background(leadership.run()), asyncio.timeout(5):
            await leadership.led()
            deposed = asyncio.create_task(leadership.deposed())
            await asyncio.sleep(0.05)
            assert not deposed.done()
            server.is_silent, suspended_s = True, 100.0
            await deposed
