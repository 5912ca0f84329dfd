"""The world of `world.py` with a server on each node."""

from dataclasses import dataclass, field
from datetime import timedelta

from world import POLICY, World

from collectors.snapshot import LoadedModel, ModelState, Reading, Server, ServerState, Snapshot
from controller.decision import Decision
from controller.fleet import Load

Held = dict[tuple[str, str], tuple[LoadedModel, ...] | None]


def empty() -> Held:
    return {(pool.name, node): () for pool in POLICY.pools for node in pool.node_names()}


def model_of(load: Load) -> LoadedModel:
    at = load.placement
    return LoadedModel(at.model, at.variant, ModelState.READY, load.instances, load.max_batch, load.queue_delay_us)


@dataclass
class NodesWorld(World):
    """`nodes` holds what each node's server has, None for one that does not answer."""

    nodes: Held = field(default_factory=empty)

    def snapshot(self) -> Snapshot:
        seen = super().snapshot()
        servers = tuple(
            Server(pool, Reading(None if models is None else ServerState(models), self.now, "test"), node)
            for (pool, node), models in self.nodes.items()
        )
        return Snapshot(self.now, servers=servers, offered=seen.offered, evidence=seen.evidence)

    def turn(self, seconds: int = 30) -> Decision:
        self.now += timedelta(seconds=seconds - 30)
        decision = self._decided(30)
        self.state = decision.state
        for (pool, node), models in self.nodes.items():
            if models is not None:
                here = (x for x in decision.fleet.loads if (x.placement.pool, x.node) == (pool, node))
                self.nodes[pool, node] = tuple(model_of(load) for load in here)
        return decision
