"""Options: every variant on every pool that has a profile for it, with each setting worth considering."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from controller.decision import Crowding, Interference, LearntTimes
from controller.performance.alone import effects_of
from controller.performance.interference import Effects, Key
from controller.performance.service_time import batch_us, capacity_milli_rps
from policy.resolved import WHOLE_PERMILLE, Model, Policy, Variant, VariantProfile
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
    """How long executions take: by profile, by the times s(1), s(2), … in us learnt in its place, and by neighbours.

    The times are those of an instance alone; `slowdowns` has how many times longer they are in the company that a
    placement is thought to be in.
    """

    profiles: Mapping[Key, VariantProfile]
    learnt_us: Mapping[Key, tuple[int, ...]]
    effects: Effects
    slowdowns: Mapping[Placement, float] = field(default_factory=dict)

    def batch_us(self, placement: Placement, device: str, batch: int) -> int:
        """Time for one batch in us, as learnt, else as profiled; in the placement's company."""
        key = (placement.model, placement.variant, device)
        learnt_us = self.learnt_us.get(key, ())
        alone_us = learnt_us[batch - 1] if batch <= len(learnt_us) else batch_us(self.profiles[key], batch)
        return round(alone_us * self.slowdowns.get(placement, 1.0))


def speeds(
    policy: Policy,
    learnt: tuple[LearntTimes, ...],
    interference: tuple[Interference, ...] = (),
    crowding: tuple[Crowding, ...] = (),
) -> Speeds:
    """The policy's profiles with what was learned of them and of neighbours, and the company to count with."""
    return Speeds(
        {(p.model, p.variant, d.device): p for d in policy.devices for p in d.variants},
        {(item.model, item.variant, item.device): item.used_us for item in learnt},
        effects_of(policy, interference),
        {item.placement: item.permille / WHOLE_PERMILLE for item in crowding},
    )


def option_id(placement: Placement, setting: Setting) -> str:
    """The id of an option; the same placement and setting have the same id in every decision."""
    return f"{placement}{_of_setting(setting)}"


def _of_setting(setting: Setting) -> str:
    return f" b{setting.max_batch} d{setting.queue_delay_us} u{setting.load_permille}"


def placement_of(option: str) -> str:
    """The placement in an option's id, in words."""
    return option.rsplit(" ", 3)[0]


def models_in_use(policy: Policy) -> tuple[Model, ...]:
    """The models that any stage of any service could use."""
    wanted = {stage.model for service in policy.services for stage in service.stages}
    return tuple(model for model in policy.models if model.name in wanted)


def options(policy: Policy, speed: Speeds) -> tuple[Option, ...]:
    """All options that any stage of any service could use."""
    return tuple(option for model in models_in_use(policy) for option in options_of(policy, speed, model))


def options_of(policy: Policy, speed: Speeds, model: Model) -> tuple[Option, ...]:
    """All options of a model."""
    capacities = _Capacities(speed)
    found = list[Option]()
    for variant in model.variants:
        for pool in policy.pools:
            key = (model.name, variant.name, pool.device)
            if key in speed.profiles:
                placement = Placement(model.name, variant.name, pool.name)
                found += _of(placement, variant, speed.profiles[key], capacities.of(key, placement))
    return tuple(found)


class _Capacities:
    """What instances may be given, worked out once for all pools with the same device and the same company."""

    def __init__(self, speed: Speeds) -> None:
        self.speed = speed
        self._known: dict[tuple[Key, float], tuple[tuple[Setting, str, int], ...]] = {}

    def of(self, key: Key, placement: Placement) -> tuple[tuple[Setting, str, int], ...]:
        """The settings of a placement with the ends of their options' ids, in thousandths of a request a second."""
        known = key, self.speed.slowdowns.get(placement, 1.0)
        if known not in self._known:
            most = self.speed.profiles[key].service_us[-1][0]
            self._known[known] = tuple(
                (setting, _of_setting(setting), self._milli_rps(key, placement, setting))
                for setting in SETTINGS
                if setting.max_batch <= most
            )
        return self._known[known]

    def _milli_rps(self, key: Key, placement: Placement, setting: Setting) -> int:
        batch = self.speed.batch_us(placement, key[2], setting.max_batch)
        return capacity_milli_rps(batch, setting.max_batch, setting.load_permille)


def _of(
    placement: Placement, variant: Variant, profile: VariantProfile, settings: tuple[tuple[Setting, str, int], ...]
) -> Iterator[Option]:
    """The options of a placement."""
    name = str(placement)
    for setting, told, milli_rps in settings:
        yield Option(
            name + told,
            placement,
            setting.max_batch,
            setting.queue_delay_us,
            setting.load_permille,
            milli_rps,
            variant.memory_mib,
            profile.share_permille,
            variant.accuracy_ppm,
            profile.load_us,
        )
