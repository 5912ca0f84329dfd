"""In which pools a stage may run, as far as documents alone tell: evidence, speed and load are not asked.

What is counted here is at least what a plan can have, so what is too little here never is enough.
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass

from policy.clauses import ComplianceProfile, ResidencyClause
from policy.data_flow import handled, removals
from policy.resolved import Policy, Pool, Service, Stage, UseVariant, VariantProfile


@dataclass(frozen=True, slots=True)
class Room:
    """A pool that a stage may run in.

    `most` instances of its model fit on each node, of the variant that most fit of; the one that loads soonest takes
    `load_us`. No instance takes less than `memory_mib` and `share_permille`.
    """

    pool: Pool
    most: int
    load_us: int
    memory_mib: int
    share_permille: int


class Rooms:
    """The pools of each stage: of a device with a profile of its model, and allowed by what its service asks for."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._on_pools = [each for each in policy.compliance if each.residency or each.purchase or each.locality]
        self._meant: dict[str, list[ComplianceProfile]] = {}
        self._lies_in = {site.name: frozenset(site.jurisdictions) for site in policy.sites}
        self._pools: defaultdict[str, list[Pool]] = defaultdict(list)
        for pool in policy.pools:
            self._pools[pool.device].append(pool)
        self._profiles: defaultdict[str, list[tuple[str, VariantProfile]]] = defaultdict(list)
        for device in policy.devices:
            for profile in device.variants:
                self._profiles[profile.model].append((device.device, profile))
        self._variants = {(model.name, each.name): each for model in policy.models for each in model.variants}
        self._sized: dict[Hashable, tuple[Room, ...]] = {}

    def of(self, service: Service, stage: Stage, origins: Collection[str]) -> Iterator[Room]:
        """Where the stage may run for requests from one of the sites, as soon as one instance fits on a node.

        Which profiles cover the stage takes longer to find out than which mean its service, and is asked only of a room
        that one of these does not allow.
        """
        meant = self._meaning(service)
        clauses = [clause for clause in service.pools if not clause.stages or stage.name in clause.stages]
        for room in self._large_enough(service, stage.model):
            pool = room.pool
            if pool.dedicated_to and not pool.dedicated_to.means(service):
                continue
            if clauses and not all(clause.admits(pool) for clause in clauses):
                continue
            if self._keeps(meant, pool, origins) or self._keeps(self.covering(service, stage), pool, origins):
                yield room

    def _large_enough(self, service: Service, model: str) -> tuple[Room, ...]:
        """Those that an instance fits in, of the variants that may serve; worked out once for all services alike."""
        steps = tuple([step for step in service.degrade if isinstance(step, UseVariant)]) if service.degrade else ()
        asked = model, service.accuracy.floor_ppm if service.accuracy else None, steps
        if asked not in self._sized:
            self._sized[asked] = tuple(self._fitting_rooms(service, model))
        return self._sized[asked]

    def _fitting_rooms(self, service: Service, model: str) -> Iterator[Room]:
        profiles: defaultdict[str, list[VariantProfile]] = defaultdict(list)
        for device, profile in self._profiles[model]:
            if self.serves(service, profile):
                profiles[device].append(profile)
        for device, known in profiles.items():
            for pool in self._pools[device]:
                most = max(self.fitting(pool, profile) for profile in known)
                if most:
                    fitting = [each for each in known if self.fitting(pool, each)]
                    yield Room(
                        pool,
                        most,
                        min(each.load_us for each in fitting),
                        min(self._variants[each.model, each.variant].memory_mib for each in fitting),
                        min(each.share_permille for each in fitting),
                    )

    def runnable(self, stage: Stage) -> Iterator[tuple[Pool, VariantProfile]]:
        """The pools that know the stage's model, once for each variant that they have a profile of."""
        for device, profile in self._profiles[stage.model]:
            for pool in self._pools[device] if (profile.model, profile.variant) in self._variants else ():
                yield pool, profile

    def covering(self, service: Service, stage: Stage) -> list[ComplianceProfile]:
        """The profiles that ask something of pools and cover the stage, also once all that may be removed is."""
        meant = self._meaning(service)
        least = handled(service, removals(service)) if any(each.scope.data for each in meant) else {}
        return [each for each in meant if stage in each.covered(service, least)]

    def _meaning(self, service: Service) -> list[ComplianceProfile]:
        if service.name not in self._meant:
            self._meant[service.name] = [each for each in self._on_pools if each.scope.means(service)]
        return self._meant[service.name]

    def serves(self, service: Service, profile: VariantProfile) -> bool:
        """Whether the variant is there and may serve, at least after all steps of the degrade order."""
        variant = self._variants.get((profile.model, profile.variant))
        if variant is None:
            return False
        named = {(step.model, step.variant) for step in service.degrade if isinstance(step, UseVariant)}
        floor = service.accuracy
        return floor is None or variant.accuracy_ppm >= floor.floor_ppm or (profile.model, profile.variant) in named

    def fitting(self, pool: Pool, profile: VariantProfile) -> int:
        """How many instances of a variant that is there fit on one of the pool's nodes."""
        memory_mib = self._variants[profile.model, profile.variant].memory_mib
        return min(pool.memory_mib // max(1, memory_mib), pool.share_permille // max(1, profile.share_permille))

    def _keeps(self, clauses: list[ComplianceProfile], pool: Pool, origins: Collection[str]) -> bool:
        """Whether the pool lies and is bought as the profiles ask."""
        for each in clauses:
            if each.residency and not self.lies_within(pool, each.residency):
                return False
            if each.purchase and pool.purchase not in each.purchase.among:
                return False
            if each.locality and pool.site not in origins:
                return False
        return True

    def lies_within(self, pool: Pool, clause: ResidencyClause) -> bool:
        """Whether the pool's site lies in one of the jurisdictions."""
        return not self._lies_in.get(pool.site, frozenset()).isdisjoint(clause.within)
