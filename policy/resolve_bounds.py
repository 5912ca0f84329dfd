"""Documents on what the fleet may cost and how fast it may change, resolved."""

from typing import Final

from policy.documents.cost_policy import CostPolicySpec
from policy.documents.scaling_policy import ScalingPolicySpec
from policy.findings import Place
from policy.resolve_maintenance import window
from policy.resolved import Ceiling, CostPolicy, OnMissing, ReplicaBound, ScalingPolicy
from policy.validate import Valid

NOWHERE: Final = Place("defaults", 1, 1)
MINUTE_S: Final = 60


def cost(valid: Valid, spec: CostPolicySpec) -> CostPolicy:
    """Ceilings and the price of a start."""
    ceilings = (
        Ceiling(each.site or "", each.below, valid.place("ceilings", index), each.service or "", each.team or "")
        for index, each in enumerate(spec.ceilings)
    )
    return CostPolicy(valid.name, tuple(ceilings), spec.start, valid.place())


def default_cost() -> CostPolicy:
    """What holds where no document says anything of cost."""
    spec = CostPolicySpec()
    return CostPolicy("default", (), spec.start, NOWHERE)


def scaling(valid: Valid, spec: ScalingPolicySpec) -> ScalingPolicy:
    """The pace of the fleet and bounds on it."""
    bounds = (
        ReplicaBound(bound.model, bound.site or "", bound.min, bound.max, valid.place("bounds", index))
        for index, bound in enumerate(spec.bounds)
    )
    return _paced(valid.name, spec, tuple(bounds), valid.place())


def default_scaling() -> ScalingPolicy:
    """What holds where no document says anything of scaling."""
    return _paced("default", ScalingPolicySpec(), (), NOWHERE)


def _paced(name: str, spec: ScalingPolicySpec, bounds: tuple[ReplicaBound, ...], place: Place) -> ScalingPolicy:
    return ScalingPolicy(
        name=name,
        interval_s=spec.interval,
        headroom_permille=spec.headroom,
        cooldown_s=spec.scale_down.cooldown,
        step_share_permille=spec.scale_down.step_share,
        stale_after_s=spec.stale_after,
        evidence_lead_s=spec.evidence_lead,
        bounds=bounds,
        place=place,
        freezes=tuple(map(window, spec.freezes)),
        stabilisation_s=spec.scale_down.stabilisation,
        on_missing=OnMissing(spec.on_missing),
        horizon_s=-(-spec.horizon // MINUTE_S) * MINUTE_S,
    )
