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
        self._is_dedicated = any(pool.dedicated_to for pool in policy.pools)
        self._asked: dict[tuple[Hashable, ...], tuple[tuple[Room, bool], ...]] = {}

    def of(self, service: Service, stage: Stage, origins: Collection[str]) -> Iterator[Room]:
        """Where the stage may run for requests from one of the sites, as soon as one instance fits on a node."""
        for room, is_open in self._open(service, stage, tuple(origins)):
            if is_open or self._keeps(self.covering(service, stage), room.pool, origins):
                yield room

    def _open(self, service: Service, stage: Stage, origins: tuple[str, ...]) -> tuple[tuple[Room, bool], ...]:
        """The rooms that the service allows, each with whether all profiles that mean it do; many ask for the same.

        Which of them cover the stage takes longer to find out, and is asked only where one does not allow a room.
        """
        clauses = tuple(clause for clause in service.pools if not clause.stages or stage.name in clause.stages)
        meant = self._meaning(service)
        asked = (
            stage.model,
            service.accuracy.floor_ppm if service.accuracy else None,
            tuple(step for step in service.degrade if isinstance(step, UseVariant)),
            clauses,
            tuple([each.name for each in meant]),
            service.name if self._is_dedicated else "",
            origins,
        )
        if asked not in self._asked:
            self._asked[asked] = tuple(
                (room, self._keeps(meant, room.pool, origins))
                for room in self._large_enough(service, stage.model)
                if (room.pool.dedicated_to is None or room.pool.dedicated_to.means(service))
                and all(clause.admits(room.pool) for clause in clauses)
            )
        return self._asked[asked]

    def _large_enough(self, service: Service, model: str) -> Iterator[Room]:
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
        return all(
            (each.residency is None or self.lies_within(pool, each.residency))
            and (each.purchase is None or pool.purchase in each.purchase.among)
            and (each.locality is None or pool.site in origins)
            for each in clauses
        )

    def lies_within(self, pool: Pool, clause: ResidencyClause) -> bool:
        """Whether the pool's site lies in one of the jurisdictions."""
        return not self._lies_in.get(pool.site, frozenset()).isdisjoint(clause.within)
