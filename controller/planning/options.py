"""Options: every variant on every pool that has a profile for it, with each setting worth considering."""

from dataclasses import dataclass
from typing import Final

from controller.decision import LearntTimes
from controller.performance.service_time import batch_us, capacity_milli_rps
from policy.resolved import Policy, VariantProfile
from rules.kernel.problem import Option, Placement


@dataclass(frozen=True, slots=True)
class Setting:
    """How a server batches, and how busy its instances may be kept."""

    max_batch: int
    queue_delay_us: int
    load_permille: int


SETTINGS: Final = (Setting(1, 0, 450), Setting(1, 0, 700), Setting(4, 0, 450), Setting(4, 0, 700))
"""Calm and busy, unbatched and batched. No queue delay: above zero it raises a Triton's latency under load."""


@dataclass(frozen=True, slots=True)
class Speeds:
    """Profiles by (model, variant, device), and the times s(1), s(2), … in us that were learnt in their place."""

    profiles: dict[tuple[str, str, str], VariantProfile]
    learnt_us: dict[tuple[str, str, str], tuple[int, ...]]

    def batch_us(self, model: str, variant: str, device: str, batch: int) -> int:
        """Time for one batch in us, as learnt, else as profiled."""
        key = (model, variant, device)
        learnt_us = self.learnt_us.get(key, ())
        return learnt_us[batch - 1] if batch <= len(learnt_us) else batch_us(self.profiles[key], batch)


def speeds(policy: Policy, learnt: tuple[LearntTimes, ...]) -> Speeds:
    """The policy's profiles with what was learned of them."""
    return Speeds(
        {(p.model, p.variant, d.device): p for d in policy.devices for p in d.variants},
        {(item.model, item.variant, item.device): item.used_us for item in learnt},
    )


def option_id(placement: Placement, setting: Setting) -> str:
    """The id of an option; the same placement and setting have the same id in every decision."""
    return f"{placement} b{setting.max_batch} d{setting.queue_delay_us} u{setting.load_permille}"


def options(policy: Policy, speed: Speeds) -> tuple[Option, ...]:
    """All options that any stage of any service could use."""
    wanted = {stage.model for service in policy.services for stage in service.stages}
    return tuple(
        _option(policy, placement, setting, speed)
        for model in policy.models
        if model.name in wanted
        for variant in model.variants
        for pool in policy.pools
        if (key := (model.name, variant.name, pool.device)) in speed.profiles
        for placement in (Placement(model.name, variant.name, pool.name),)
        for setting in SETTINGS
        if setting.max_batch <= speed.profiles[key].service_us[-1][0]
    )


def _option(policy: Policy, placement: Placement, setting: Setting, speed: Speeds) -> Option:
    device = policy.pool(placement.pool).device
    profile = speed.profiles[placement.model, placement.variant, device]
    variant = next(v for v in policy.model(placement.model).variants if v.name == placement.variant)
    batch = speed.batch_us(placement.model, placement.variant, device, setting.max_batch)
    return Option(
        id=option_id(placement, setting),
        placement=placement,
        max_batch=setting.max_batch,
        queue_delay_us=setting.queue_delay_us,
        load_permille=setting.load_permille,
        capacity_milli_rps=capacity_milli_rps(batch, setting.max_batch, setting.load_permille),
        memory_mib=variant.memory_mib,
        share_permille=profile.share_permille,
        accuracy_ppm=variant.accuracy_ppm,
        load_us=profile.load_us,
    )
