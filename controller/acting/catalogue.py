"""Every actuator that there is. A new one is added here and to the contract test's table of what it can do."""

from typing import Final

from controller.acting.dry_run import DryRun
from controller.acting.envoy import EnvoyActuator
from controller.acting.triton import TritonActuator

ACTUATORS: Final = (TritonActuator, EnvoyActuator, DryRun)
