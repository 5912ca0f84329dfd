"""Only a leader acts."""

import asyncio

import pytest

from controller.acting.actuator import ActuatorError
from controller.acting.dry_run import DryRun
from controller.actions import Action, SetRoutes
from controller.cluster.leading.fencing import DeposedError
from controller.cluster.leading.led import LedActuator
from policy.resolved import Policy
from tests.acting.world import world

ROUTES = SetRoutes(())


class Leads:
    """Who leads until somebody says otherwise."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()

    def term(self) -> str:
        if self.lost.is_set():
            raise DeposedError("its lease was not renewed in time")
        return "1.a"

    async def deposed(self) -> None:
        await self.lost.wait()


class Waiting(DryRun):
    """A server that takes its time before it is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.ready = asyncio.Event(), asyncio.Event()

    async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:
        self.begun.set()
        await self.ready.wait()
        await super().apply(decision_id, action, policy)


async def test_an_action_is_done_while_this_replica_leads_and_not_after() -> None:
    by, real = Leads(), DryRun()
    led = LedActuator(real, by)
    assert led.handles(ROUTES)
    await led.apply("decision", ROUTES, world())
    by.lost.set()
    with pytest.raises(ActuatorError, match="GW2139: not done, for another replica may lead: its lease was not"):
        await led.apply("next", ROUTES, world())
    assert real.noted == [("decision", ROUTES)]


async def test_an_action_under_way_is_broken_off_once_another_replica_may_lead() -> None:
    by, real = Leads(), Waiting()
    acting = asyncio.create_task(LedActuator(real, by).apply("decision", ROUTES, world()))
    await real.begun.wait()
    by.lost.set()
    with pytest.raises(ActuatorError, match="GW2139: not done, for another replica may lead: its lease ended while"):
        await acting
    real.ready.set()
    await asyncio.sleep(0)
    assert real.noted == []


async def test_an_action_that_is_given_up_is_broken_off_too_and_what_it_raises_is_passed_on() -> None:
    by, real = Leads(), Waiting()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await LedActuator(real, by).apply("decision", ROUTES, world())
    assert len(asyncio.all_tasks()) == 1

    class Refusing(DryRun):
        async def apply(self, decision_id: str, action: Action, policy: Policy) -> None:  # noqa: ARG002
            raise ActuatorError("the server refused")

    with pytest.raises(ActuatorError, match="the server refused"):
        await LedActuator(Refusing(), by).apply("decision", ROUTES, world())
