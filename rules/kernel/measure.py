"""What a plan does, read off the plan alone: where checks begin. Ids that the problem lacks are left to `served`."""

from collections import Counter
from dataclasses import dataclass

from policy.clauses import ComplianceProfile
from policy.data_flow import Datum, Reads
from policy.resolved import Service, Stage
from rules.kernel.latest import Latest
from rules.kernel.plan import Plan
from rules.kernel.problem import Demand, Option, Path, Problem
from rules.kernel.removals import said_of
from rules.kernel.spans import unbroken_until_s


@dataclass(frozen=True, slots=True)
class Visit:
    """A stage of a demand that some of its requests are served by an option."""

    demand: Demand
    stage: Stage
    option: Option
    profiles: tuple[ComplianceProfile, ...]
    """Those that cover it."""

    def __str__(self) -> str:
        return f"stage {self.stage.name} of {self.demand.id} on {self.option.id}"


@dataclass(frozen=True, slots=True)
class Crossing:
    """An input of a demand's stage that some of its requests send to an option in an encoding."""

    demand: Demand
    stage: Stage
    option: Option
    encoding: str

    def __str__(self) -> str:
        return f"stage {self.stage.name} of {self.demand.id} on {self.option.id}, sent as {self.encoding}"


@Latest
def carried(plan: Plan, problem: Problem) -> tuple[tuple[Path, int], ...]:
    """The paths that carry something, each with its share in permille."""
    shares: Counter[str] = Counter()
    for route in plan.routes:
        shares[route.path] += route.share_permille
    return tuple((problem.path(path), share) for path, share in shares.items() if share and problem.has_path(path))


@Latest
def visits(plan: Plan, problem: Problem) -> tuple[Visit, ...]:
    """Every stage of a demand with every option that its routes take there, each once."""
    covering = _covering(problem)
    found: dict[tuple[str, str, str], Visit] = {}
    for path, _ in carried(plan, problem):
        demand = problem.demand(path.demand)
        for stage, chosen in zip(problem.service_of(demand).stages, path.options, strict=True):
            key = (demand.id, stage.name, chosen)
            if key not in found:
                found[key] = Visit(demand, stage, problem.option(chosen), covering[demand.service, stage.name])
    return tuple(found.values())


@Latest
def crossings(plan: Plan, problem: Problem) -> tuple[Crossing, ...]:
    """Every input that routes send in an encoding, each once; of what is sent as it is there is nothing to tell."""
    found: dict[tuple[str, str, str, str], Crossing] = {}
    for path, _ in carried(plan, problem):
        demand = problem.demand(path.demand)
        for at, encoding in enumerate(path.encodings):
            stage, option = problem.service_of(demand).stages[at], problem.option(path.options[at])
            key = demand.id, stage.name, option.id, encoding
            if encoding and key not in found:
                found[key] = Crossing(demand, stage, option, encoding)
    return tuple(found.values())


def payload_bytes(path: Path, stages: tuple[Stage, ...]) -> tuple[int, ...]:
    """By stage, the bytes of what all calls of a request are sent."""
    names = path.encodings or [""] * len(stages)
    packed = ({each.format: each.payload_bytes for each in stage.encodings} for stage in stages)
    return tuple(
        sizes.get(name, stage.payload_bytes) * stage.fanout
        for stage, name, sizes in zip(stages, names, packed, strict=True)
    )


@Latest
def _covering(problem: Problem) -> dict[tuple[str, str], tuple[ComplianceProfile, ...]]:
    """By service and stage, the profiles that cover it."""
    return {
        (service.name, stage.name): tuple(p for p in problem.policy.compliance if covers(p, stage, service, problem))
        for service in {demand.service: problem.service_of(demand) for demand in problem.demands}.values()
        for stage in service.stages
    }


def is_covered(visit: Visit, profile: ComplianceProfile) -> bool:
    """Whether a profile of the policy covers a visit."""
    return any(each is profile for each in visit.profiles)


def covers(profile: ComplianceProfile, stage: Stage, service: Service, problem: Problem) -> bool:
    """Whether a profile covers a stage: what it asks of is followed back to where it may come from."""
    scope = profile.scope
    if not scope.means(service) or (scope.stages and stage.name not in scope.stages):
        return False
    return not scope.data or any(_comes_to(stage, datum, service, problem) for datum in scope.data)


def _comes_to(stage: Stage, datum: Datum, service: Service, problem: Problem) -> bool:
    """Whether a stage makes a datum, is sent it with the request, or reads an output that may carry it on."""
    ahead, seen = [stage], {stage.name}
    while ahead:
        here = ahead.pop()
        if datum in here.adds:
            return True
        if here is not stage and _is_removed(here, datum, problem):
            continue
        if here.reads is Reads.EVERYTHING:
            if datum in service.requested or any(datum in each.adds for each in _before(here, service)):
                return True
            continue
        ahead += (each for each in service.stages if each.name in here.after and each.name not in seen)
        seen.update(here.after)
    return False


def _before(stage: Stage, service: Service) -> list[Stage]:
    """The stages that must be done before, and those before them."""
    names = set(stage.after)
    for _ in service.stages:
        names.update(name for each in service.stages if each.name in names for name in each.after)
    return [each for each in service.stages if each.name in names]


def _is_removed(stage: Stage, datum: Datum, problem: Problem) -> bool:
    """Whether everybody's word on it that is needed lasts until the plan is no longer needed."""
    if stage.removes is None or datum not in stage.removes.data:
        return False
    spans = said_of(problem, stage.model, stage.removes, datum)
    return all(unbroken_until_s(each, problem.now_s) >= problem.needed_until_s for each in spans)
