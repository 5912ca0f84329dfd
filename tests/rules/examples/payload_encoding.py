"""Payload encoding: the way to Lyon admits gzip and half precision, or does not; the floor leaves so much to lose."""

from dataclasses import replace

from policy.resolved import AccuracyObjective, Encoding, Fidelity
from rules.kernel.problem import Path
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, one_service, plan, stage
from tests.rules.example import Domain, Example

STANDING = {("rec@edge", "edge-0"): 1, ("rec@cloud", "cloud-0"): 1}
READ = "stage read of ocr@paris on rec@cloud, sent as"
GZIP = Encoding("gzip", Fidelity.LOSSLESS, 400, 9, 0, at(12))
HALF = Encoding("fp16", Fidelity.LOWERED, 500, 2, 1_000, at(13))


def sent(
    name: str,
    compressions: tuple[str, ...] = (),
    precisions: tuple[str, ...] = (),
    floor_ppm: int | None = None,
    *,
    declared: tuple[Encoding, ...] = (GZIP, HALF),
    linked: tuple[str, str] = ("lyon", "paris"),
) -> Fleet:
    """The path `far` sends its input in an encoding; `near` has none, and an option of the accuracy 90 %."""
    places = Fleet().site("paris", "FR").site("lyon", "FR").site("oslo", "NO").link(*linked)
    places = one_service(places.pool("edge", "paris").pool("cloud", "lyon"))
    policy = places.problem.policy
    (link,), (service,) = policy.links, policy.services
    links = (replace(link, compressions=compressions, precisions=precisions),)
    floor = None if floor_ppm is None else AccuracyObjective(floor_ppm, at(14))
    called = replace(stage("read", "rec"), encodings=declared)
    services = (replace(service, stages=(called,), accuracy=floor),)
    near, far = places.problem.paths
    problem = replace(places.problem, policy=replace(policy, links=links, services=services))
    return Fleet(replace(problem, paths=(near, _as(far, name))))


def _as(path: Path, name: str) -> Path:
    return path._replace(encodings=(name,))


def example(name: str, over: Fleet, violation: Violation, told: str, reason: str, *spared: Fleet) -> Example:
    return Example(
        name=name,
        problem=over.problem,
        on_limit=plan(STANDING, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=violation,
        message=told,
        spared=tuple(each.problem for each in spared),
        reasons=(reason,),
        domain=Domain(counts=(1,)),
    )


UNADMITTED = "the stage does not declare it, or no Link on the way admits it"

EXAMPLES = (
    example(
        "a link that admits nothing is crossed as it is",
        sent("gzip"),
        Violation("payload_encoding", f"{READ} gzip", 1, 0, at(40), "admitted"),
        f"{READ} gzip: {UNADMITTED}",
        "no Link between paris and lyon admits gzip",
        sent("gzip", compressions=("gzip",)),
        sent(""),
    ),
    example(
        "what it admits of one kind it does not admit of the other",
        sent("fp16", compressions=("fp16", "gzip"), precisions=("bf16",)),
        Violation("payload_encoding", f"{READ} fp16", 1, 0, at(40), "admitted"),
        f"{READ} fp16: {UNADMITTED}",
        "no Link between paris and lyon admits fp16",
        sent("fp16", precisions=("bf16", "fp16")),
        sent("gzip", compressions=("fp16", "gzip")),
    ),
    example(
        "where no link is known none admits anything",
        sent("gzip", compressions=("gzip",), linked=("oslo", "paris")),
        Violation("payload_encoding", f"{READ} gzip", 1, 0, at(1), "admitted"),
        f"{READ} gzip: {UNADMITTED}",
        "no Link between paris and lyon admits gzip",
        sent("gzip", compressions=("gzip",)),
    ),
    example(
        "what the stage does not declare is not sent",
        sent("gzip", compressions=("gzip",), declared=(HALF,)),
        Violation("payload_encoding", f"{READ} gzip", 1, 0, at(1), "admitted"),
        f"{READ} gzip: {UNADMITTED}",
        "stage read declares no encoding gzip",
        sent("gzip", compressions=("gzip",)),
    ),
    example(
        "a loss of 0.1 % leaves 89.9 %, and no less than the floor may be left",
        sent("fp16", precisions=("fp16",), floor_ppm=899_001),
        Violation("payload_encoding", f"{READ} fp16", 899_000, 899_001, at(14), "left"),
        f"{READ} fp16: accuracy is 89.9 % then; the floor is 89.9001 %",
        "stage read: accuracy 89.9 % as fp16 is below the floor of 89.9001 %",
        sent("fp16", precisions=("fp16",), floor_ppm=899_000),
        sent("fp16", precisions=("fp16",), floor_ppm=890_000),
        sent("fp16", precisions=("fp16",)),
    ),
)
