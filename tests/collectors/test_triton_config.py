import pytest

from collectors.snapshot import ModelState, QueueLevel
from collectors.triton_config import (
    DynamicBatching,
    InstanceGroup,
    ModelConfig,
    QueuePolicy,
    RateLimiter,
    Resource,
    at_once,
    loaded_model,
    queue_levels,
    resources_of,
)


def executing(*groups: InstanceGroup, beside: tuple[InstanceGroup, ...] = ()) -> int:
    config = ModelConfig(instance_group=groups)
    return at_once(config, resources_of([config, ModelConfig(instance_group=beside)]))


def holding(count: int, *, everywhere: bool = False) -> RateLimiter:
    return RateLimiter((Resource("R", everywhere, count),))


def test_instances_are_summed_over_groups_and_their_devices() -> None:
    groups = (InstanceGroup(count=2), InstanceGroup(count=1), InstanceGroup(count=3, gpus=(0, 1)))
    model = loaded_model(("det", "fp32"), ModelState.READY, ModelConfig(8, groups, DynamicBatching(700)))
    assert (model.instances, model.max_batch, model.queue_delay_us) == (9, 8, 700)


def test_a_model_that_does_not_batch_takes_one_at_a_time() -> None:
    model = loaded_model(("det", "fp32"), ModelState.READY, ModelConfig(0, (InstanceGroup(),)))
    assert (model.max_batch, model.queue_delay_us) == (1, 0)


@pytest.mark.parametrize(
    ("batching", "levels"),
    [
        (DynamicBatching(), ()),
        (DynamicBatching(default_queue_policy=QueuePolicy(timeout_action="DELAY")), ()),
        (DynamicBatching(default_queue_policy=QueuePolicy(allow_timeout_override=True)), (QueueLevel(),)),
        (DynamicBatching(default_queue_policy=QueuePolicy("DELAY", 5)), (QueueLevel(5, puts_off=True),)),
        (DynamicBatching(default_queue_policy=QueuePolicy("REJECT", 5, max_queue_size=3)), (QueueLevel(5, limit=3),)),
        (DynamicBatching(priority_levels=1), (QueueLevel(),)),
        (
            DynamicBatching(
                priority_levels=3,
                default_queue_policy=QueuePolicy(max_queue_size=3),
                priority_queue_policy={2: QueuePolicy("DELAY", 5)},
            ),
            (QueueLevel(limit=3), QueueLevel(5, puts_off=True), QueueLevel(limit=3)),
        ),
    ],
)
def test_each_level_has_its_own_rules_or_the_default_ones(
    batching: DynamicBatching, levels: tuple[QueueLevel, ...]
) -> None:
    assert queue_levels(batching) == levels


def test_as_many_instances_execute_as_there_is_to_hold() -> None:
    assert executing(InstanceGroup(4, rate_limiter=holding(2)), beside=(InstanceGroup(1, (), holding(7)),)) == 3
    assert executing(InstanceGroup(4, rate_limiter=holding(2)), beside=(InstanceGroup(1, (), holding(8)),)) == 0
    assert executing(InstanceGroup(4, rate_limiter=holding(2))) == 1
    assert executing(InstanceGroup(4)) == 0


def test_a_resource_is_each_devices_own_unless_it_is_global() -> None:
    assert executing(InstanceGroup(2, (0, 1), holding(1))) == 2
    assert executing(InstanceGroup(2, (0, 1), holding(1, everywhere=True))) == 1


def test_groups_share_what_they_hold() -> None:
    """Three of R: two of the small ones execute at once, or one of the two with the large one."""
    assert executing(InstanceGroup(2, (), holding(1)), InstanceGroup(1, (), holding(3))) == 2
