"""What every actuator promises, whatever it acts on."""

import importlib
import inspect
import pkgutil

import pytest

import controller.acting
from controller.acting.actuator import Actuator, ActuatorError
from controller.acting.catalogue import ACTUATORS
from controller.acting.dry_run import DryRun
from controller.acting.envoy import EnvoyActuator
from controller.acting.triton import TritonActuator
from controller.actions import Action, SetLoad, SetRoutes, Unload
from controller.fleet import Load, RouteSet, Way
from tests.acting.world import ORIENT, READ, world

pytestmark = [pytest.mark.triton, pytest.mark.envoy]

LOAD = SetLoad(Load(ORIENT, 2, 4, 300))
ROUTES = SetRoutes((RouteSet("crops", "edge-paris", (Way(1000, (READ, ORIENT)),)),))
DOABLE = {TritonActuator: (LOAD, Unload(ORIENT)), EnvoyActuator: (ROUTES,), DryRun: (LOAD, Unload(ORIENT), ROUTES)}


@pytest.fixture
def actuators(triton: TritonActuator, envoy: EnvoyActuator) -> tuple[Actuator, ...]:
    return (triton, envoy, DryRun())


def test_the_catalogue_names_every_actuator_that_there_is() -> None:
    found = {
        member
        for module in pkgutil.iter_modules(controller.acting.__path__)
        for _, member in inspect.getmembers(
            importlib.import_module(f"controller.acting.{module.name}"), inspect.isclass
        )
        if hasattr(member, "apply") and member is not Actuator
    }
    assert found == set(ACTUATORS) == set(DOABLE)


def test_every_action_has_an_actuator_and_no_name_is_used_twice(actuators: tuple[Actuator, ...]) -> None:
    real = [actuator for actuator in actuators if not isinstance(actuator, DryRun)]
    for action in (LOAD, Unload(ORIENT), ROUTES):
        assert [actuator.handles(action) for actuator in real].count(True) == 1
    assert len({actuator.name for actuator in actuators}) == len(actuators)


async def test_doing_an_action_twice_is_doing_it_once(actuators: tuple[Actuator, ...]) -> None:
    for actuator in actuators:
        for action in DOABLE[type(actuator)]:
            assert actuator.handles(action)
            await actuator.apply("d1", action, world())
            await actuator.apply("d1", action, world())


@pytest.mark.parametrize("action", [LOAD, Unload(ORIENT), ROUTES])
async def test_an_action_of_another_kind_is_refused_with_a_next_step(
    actuators: tuple[Actuator, ...], action: Action
) -> None:
    for actuator in actuators:
        if not actuator.handles(action):
            with pytest.raises(ActuatorError, match="give it to the actuator that handles it"):
                await actuator.apply("d1", action, world())
