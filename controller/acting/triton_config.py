"""Triton's model configuration, as far as a load changes it: instance count, batch size and queue delay."""

from typing import Any

from controller.acting.actuator import ActuatorError
from controller.fleet import Load

Config = dict[str, Any]
"""A model configuration as Triton's HTTP endpoint gives it."""


def overridden(config: Config, load: Load) -> Config:
    """The configuration with the load's instances and batching, all else as it is.

    A whole configuration is needed: Triton takes the one in a load request instead of the repository's, not on top of
    it. Raises ActuatorError when the model cannot be run in that way.
    """
    changed = dict(config)
    changed["instance_group"] = [_grouped(config, load)]
    if not config.get("max_batch_size"):
        if load.max_batch > 1 or load.queue_delay_us:
            raise ActuatorError(
                f"{load.placement} does not batch (max_batch_size 0) and batches of {load.max_batch} after "
                f"{load.queue_delay_us} us are wanted: profile it with batch size 1 only"
            )
        return changed
    changed["max_batch_size"] = load.max_batch
    batching = dict(config.get("dynamic_batching") or {})
    # Sizes preferred for another maximum would be refused, and are Triton's own guess where nobody wrote them.
    batching.pop("preferred_batch_size", None)
    batching["max_queue_delay_microseconds"] = load.queue_delay_us
    changed["dynamic_batching"] = batching
    return changed


def _grouped(config: Config, load: Load) -> Config:
    groups = config.get("instance_group") or [{}]
    group = dict(groups[0])
    devices = max(len(group.get("gpus") or ()), 1)
    if load.instances % devices:
        raise ActuatorError(
            f"{load.placement} stands on {devices} GPUs and {load.instances} instances do not spread evenly over them: "
            "give each GPU a pool of its own"
        )
    group["count"] = load.instances // devices
    return group
