"""Device memory: what stands on a node fits into its device's memory, all instances together."""

from policy.findings import Finding
from policy.resolved import Pool
from rules.kernel.node_resource import NodeResource
from rules.kernel.problem import Option
from rules.kernel.rule import Violation


class DeviceMemory(NodeResource):
    """The memory of a node's instances, in MiB, is at most its pool's `memory_mib`; exactly full is kept."""

    id = "device_memory"
    finding_id = "GW1003"

    def use(self, option: Option) -> int:
        """MiB of one instance."""
        return option.memory_mib

    def capacity(self, pool: Pool) -> int:
        """MiB of one node."""
        return pool.memory_mib

    def explain(self, violation: Violation) -> Finding:
        """How much memory is asked of the node, and what would make room."""
        message = f"node {violation.subject} would hold {violation.measured} MiB; it may hold {violation.limit} MiB"
        return violation.finding(self.finding_id, message, "add a node to the pool, or use a variant that is smaller")
