"""Device share: the compute that the instances on a node take of its device sums to no more than it offers."""

from policy.findings import Finding
from policy.resolved import Pool
from rules.kernel.node_resource import NodeResource
from rules.kernel.problem import Option
from rules.kernel.quantities import percent
from rules.kernel.rule import Violation


class DeviceShare(NodeResource):
    """The device shares of a node's instances, in permille, sum to at most its pool's; exactly all of it is kept.

    It is a promise of the settled fleet: on the way there, an instance without requests takes no compute.
    """

    id = "device_share"
    finding_id = "GW1004"
    always = False

    def use(self, option: Option) -> int:
        """Permille of a device that one instance takes."""
        return option.share_permille

    def capacity(self, pool: Pool) -> int:
        """Permille of the device that one node offers."""
        return pool.share_permille

    def explain(self, violation: Violation) -> Finding:
        """How much of the device is asked for, and what would make room."""
        message = (
            f"node {violation.subject} would give away {percent(violation.measured)} of its device; "
            f"{percent(violation.limit)} is offered"
        )
        return violation.finding(self.finding_id, message, "add a node to the pool, or raise the share that it offers")
