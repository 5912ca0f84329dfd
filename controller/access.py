"""Whether a service may be served by a pool: the clause that is against it, or the evidence that it goes by."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from controller.admission.judging import question
from controller.clause_words import said
from controller.documents import Documents
from controller.explain import Candidate, Objection
from controller.grounds import ASKING, About, Proof, proofs
from policy.clause_list import clauses_of
from policy.data_flow import Removed, handled
from policy.findings import Place
from policy.resolved import Service, Stage
from rules.kernel.removals import removed


@dataclass(frozen=True, slots=True)
class ClauseEvidence:
    """A clause that asks for evidence, and what there is of it for the stage on the pool."""

    place: Place
    clause: str
    evidence: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """A stage, from an origin, on a pool: allowed where some variant has nothing against it.

    `share_permille` of the requests go there. `grounds` are the clauses on evidence that cover the stage, and the
    removals before it by which it handles less data than the service's requests carry.
    """

    stage: str
    origin: str
    allowed: bool
    share_permille: int
    objections: tuple[Objection, ...]
    grounds: tuple[ClauseEvidence, ...]


def access(
    service: str, pool: str, every: Iterable[Candidate], documents: Documents, now: datetime
) -> tuple[Access, ...]:
    """Every stage and origin of the service; `every` are the candidates of the plan that is made `now`."""
    uses: dict[tuple[str, str], list[Candidate]] = {}
    for each in every:
        if each.service == service and each.placement.pool == pool:
            uses.setdefault((each.stage, each.origin), []).append(each)
    asked = documents.policy.service(service)
    problem = question(documents.policy, documents.evidence, int(now.timestamp()))
    grounds = {}
    for stage in asked.stages:
        covering = {each.name for each in documents.policy.compliance if stage in problem.covered(each, asked)}
        removing = _removals(asked, stage, removed(problem, asked), documents)
        grounds[stage.name] = (*_grounds(covering, stage, pool, documents), *removing)
    return tuple(_access(found, grounds[stage]) for (stage, _), found in uses.items())


def _access(found: list[Candidate], grounds: tuple[ClauseEvidence, ...]) -> Access:
    allowed = not all(each.objections for each in found)
    against = () if allowed else tuple(dict.fromkeys(item for each in found for item in each.objections))
    share = sum(each.share_permille for each in found)
    return Access(found[0].stage, found[0].origin, allowed, share, against, grounds)


def _grounds(covering: Collection[str], stage: Stage, pool: str, documents: Documents) -> tuple[ClauseEvidence, ...]:
    """The clauses on evidence of the profiles that cover a stage."""
    policy, of = documents.policy, documents.policy.pool(pool)
    links = [link for link in policy.links if of.site in {link.a, link.b}]
    about = About([of], [policy.model(stage.model)], links)
    return tuple(
        ClauseEvidence(each.place, said(each), proofs(each.clause, about, policy, documents.evidence))
        for each in clauses_of(policy)
        if each.kind == "ComplianceProfile" and each.name in covering and isinstance(each.clause, ASKING)
    )


def _removals(
    service: Service, stage: Stage, counting: Collection[Removed], documents: Documents
) -> Iterator[ClauseEvidence]:
    """What stages before this one remove of the data that it would handle otherwise, by whose word."""
    spared = handled(service)[stage.name] - handled(service, counting)[stage.name]
    for other in service.stages if spared else ():
        gone = sorted(datum for datum in spared if (other.name, datum) in counting)
        if gone and other.removes:
            about = About([], [documents.policy.model(other.model)], [])
            found = proofs(other.removes, about, documents.policy, documents.evidence)
            words = f"stage {other.name} removes {' and '.join(map(str, gone))} before it"
            yield ClauseEvidence(other.removes.place, words, found)
