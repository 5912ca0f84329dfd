"""Payload fidelity: card data goes to Lyon packed or less precise; what is asked is a step more than that."""

from policy.clauses import PayloadClause, Scope
from policy.resolved import Fidelity
from rules.kernel.rule import Violation
from tests.rules.build import Fleet, at, plan
from tests.rules.example import Domain, Example
from tests.rules.examples.payload_encoding import READ, STANDING, sent

CARDS = Scope(classes=("card",))


def asked(name: str, fidelity: Fidelity | None, scope: Scope = CARDS) -> Fleet:
    """The way admits both encodings; the profile asks for so much."""
    clause = PayloadClause(fidelity, at(56)) if fidelity else None
    return sent(name, ("gzip",), ("fp16",)).profile("card", scope=scope, payloads=clause)


def example(name: str, encoding: str, known: Fidelity, clause: Fidelity, *spared: Fleet) -> Example:
    return Example(
        name=name,
        problem=asked(encoding, clause).problem,
        on_limit=plan(STANDING, {"near": 1000, "far": 0}),
        over_limit=plan(STANDING, {"near": 999, "far": 1}),
        violation=Violation("payload_fidelity", f"{READ} {encoding}", known.strength, clause.strength, at(56)),
        message=f"{READ} {encoding}: the payload is {known}; {clause} or better is asked",
        spared=tuple(
            each.problem
            for each in (
                *spared,
                asked("", clause),
                asked(encoding, known),
                asked(encoding, clause, Scope(stages=("x",))),
            )
        ),
        reasons=(f"stage read is sent as {encoding}, not {clause}",),
        domain=Domain(counts=(1,)),
    )


EXAMPLES = (
    example(
        "less precise is not lossless", "fp16", Fidelity.LOWERED, Fidelity.LOSSLESS, asked("gzip", Fidelity.LOSSLESS)
    ),
    example("what is sent in one encoding is judged by no other", "fp16", Fidelity.LOWERED, Fidelity.VERBATIM),
    example("packed is not as it was", "gzip", Fidelity.LOSSLESS, Fidelity.VERBATIM, asked("gzip", Fidelity.LOWERED)),
)
