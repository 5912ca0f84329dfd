"""How requests wait and execute, by a model's configuration on Triton: `model_config.proto` of release 24.10."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from collectors.snapshot import LoadedModel, ModelState, QueueLevel

MOST_LEVELS: Final = 64
EVERYWHERE: Final = -1

Natural = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Place = tuple[int, str]
"""A resource of the rate limiter: the device that has it, or `EVERYWHERE`, and its name."""


class Resource(msgspec.Struct, frozen=True):
    """What an execution holds `count` of."""

    name: str = ""
    everywhere: bool = msgspec.field(default=False, name="global")
    count: Natural = 0


class RateLimiter(msgspec.Struct, frozen=True):
    """What each execution of a group's instances holds, and their turn beside other models'; 0 is 1."""

    resources: tuple[Resource, ...] = ()
    priority: Natural = 0


class InstanceGroup(msgspec.Struct, frozen=True):
    """`count` instances, on each of `gpus` when there are any."""

    count: Natural = 1
    gpus: tuple[Natural, ...] = ()
    rate_limiter: RateLimiter | None = None


class QueuePolicy(msgspec.Struct, frozen=True):
    """When a request is refused or put off for waiting too long, or refused because too many wait; 0 is never."""

    timeout_action: str = "REJECT"
    default_timeout_microseconds: Natural = 0
    allow_timeout_override: bool = False
    max_queue_size: Natural = 0


class DynamicBatching(msgspec.Struct, frozen=True):
    """How long a request may wait for others, to share an execution, and in which order and how long at all."""

    max_queue_delay_microseconds: Natural = 0
    priority_levels: Natural = 0
    default_priority_level: Natural = 0
    preserve_ordering: bool = False
    default_queue_policy: QueuePolicy | None = None
    priority_queue_policy: dict[Natural, QueuePolicy] = {}


class ModelConfig(msgspec.Struct, frozen=True):
    """The part of a model's configuration that is read; the rest is passed over."""

    max_batch_size: Natural = 0
    instance_group: tuple[InstanceGroup, ...] = ()
    dynamic_batching: DynamicBatching | None = None
    sequence_batching: dict[str, object] | None = None
    ensemble_scheduling: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Resources:
    """The rate limiter's resources on a server, how many models use each, and the turns that models have."""

    counts: Mapping[Place, int]
    users: Mapping[Place, int]
    priorities: frozenset[int]


def resources_of(configs: Iterable[ModelConfig]) -> Resources:
    """As much of each resource as the neediest instance holds: what a server has that is not told otherwise."""
    counts: dict[Place, int] = {}
    users: dict[Place, int] = {}
    priorities = set()
    for config in configs:
        own: dict[Place, int] = {}
        for need in _needs(config):
            own |= {place: max(count, own.get(place, 0)) for place, count in need.items()}
        for place, count in own.items():
            counts[place] = max(count, counts.get(place, 0))
            users[place] = users.get(place, 0) + 1
        priorities |= {
            max(1, group.rate_limiter.priority) if group.rate_limiter else 1 for group in config.instance_group
        }
    return Resources(counts, users, frozenset(priorities))


def loaded_model(
    name: tuple[str, str], state: ModelState, config: ModelConfig, resources: Resources | None = None
) -> LoadedModel:
    """The variant as the snapshot has it. Triton's 0 for a model that does not batch reads as batches of 1."""
    instances = sum(group.count * max(len(group.gpus), 1) for group in config.instance_group)
    batching = config.dynamic_batching or DynamicBatching()
    return LoadedModel(
        *name,
        state,
        instances,
        max(config.max_batch_size, 1),
        batching.max_queue_delay_microseconds,
        queue_levels(batching),
        max(1, batching.default_priority_level),
        at_once(config, resources or resources_of([config])),
    )


def queue_levels(batching: DynamicBatching) -> tuple[QueueLevel, ...]:
    """The rules of each level of priority; none where requests wait without any."""
    default = batching.default_queue_policy or QueuePolicy()
    if batching.priority_levels > MOST_LEVELS:
        return ()
    if batching.priority_levels:
        own = batching.priority_queue_policy
        return tuple(_level(own.get(number, default)) for number in range(1, batching.priority_levels + 1))
    # Triton treats a queue with any of these in another way, also while no request makes use of it.
    ruled = default.default_timeout_microseconds or default.allow_timeout_override or default.max_queue_size
    return (_level(default),) if ruled else ()


def at_once(config: ModelConfig, resources: Resources) -> int:
    """How many instances can hold what they need at the same time; 0 for all."""
    needs = sorted(_needs(config), key=lambda need: sum(need.values()))
    left = dict(resources.counts)
    executing = 0
    for need in needs:
        if all(count <= left[place] for place, count in need.items()):
            left |= {place: left[place] - count for place, count in need.items()}
            executing += 1
    return executing if executing < len(needs) else 0


def unpredicted(config: ModelConfig, resources: Resources) -> tuple[str, ...]:
    """What of a configuration changes how requests wait, and is not in predictions; by its name there."""
    batching = config.dynamic_batching or DynamicBatching()
    limited = any(group.rate_limiter for group in config.instance_group)
    shared = any(resources.users[place] > 1 for need in _needs(config) for place in need)
    ways = {
        "sequence_batching": config.sequence_batching is not None,
        "ensemble_scheduling": config.ensemble_scheduling is not None,
        "preserve_ordering": batching.preserve_ordering,
        "priority_levels": batching.priority_levels > MOST_LEVELS,
        "rate_limiter.resources": shared,
        "rate_limiter.priority": limited and len(resources.priorities) > 1,
    }
    return tuple(name for name, is_there in ways.items() if is_there)


def _level(policy: QueuePolicy) -> QueueLevel:
    return QueueLevel(policy.default_timeout_microseconds, policy.timeout_action == "DELAY", policy.max_queue_size)


def _needs(config: ModelConfig) -> Iterator[dict[Place, int]]:
    """What each instance holds while it executes. Those that stand on no GPU share the first device's."""
    for group in config.instance_group:
        wanted = group.rate_limiter.resources if group.rate_limiter else ()
        for device in group.gpus or (0,):
            need = {(EVERYWHERE if item.everywhere else device, item.name): item.count for item in wanted}
            for _ in range(group.count):
                yield need
