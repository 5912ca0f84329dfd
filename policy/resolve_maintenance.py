"""Spans of time, resolved."""

from policy.documents.maintenance import MaintenanceSpec, WindowSpec
from policy.resolved import Maintenance
from policy.validate import Valid
from policy.windows import Window


def maintenance(valid: Valid, spec: MaintenanceSpec) -> Maintenance:
    """When which pools serve nobody."""
    return Maintenance(valid.name, tuple(spec.sites), tuple(spec.pools), window(spec), valid.place())


def window(spec: WindowSpec) -> Window:
    """In whole seconds: it begins early and ends late where a second is split."""
    return Window(int(spec.from_.timestamp() // 1), -int(-spec.until.timestamp() // 1), spec.every or 0)
