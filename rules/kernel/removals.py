"""Which data the outputs of stages do not carry on, for as long as anything has to hold."""

from typing import TYPE_CHECKING

from policy.data_flow import Datum, Removed
from policy.resolved import Removal, Service
from rules.kernel.spans import Span, cover

if TYPE_CHECKING:
    from rules.kernel.problem import Problem


def removed(problem: "Problem", service: Service) -> frozenset[Removed]:
    """The removals of a service's stages that count throughout `now_s` to `needed_until_s`.

    Somebody who may has to vouch for every variant that the Model document declares, whichever of them serves.
    """
    needed = range(problem.now_s, problem.needed_until_s)
    return frozenset(
        (stage.name, datum)
        for stage in service.stages
        if stage.removes
        for datum in stage.removes.data
        if all(cover(spans, needed) for spans in said_of(problem, stage.model, stage.removes, datum))
    )


def said_of(problem: "Problem", model: str, removal: Removal, datum: Datum) -> list[list[Span]]:
    """By variant of a model, when somebody who may says that its output does not carry on what it reads of a datum.

    Of a variant without a digest nobody can say anything; nor of a model that is not declared, which is one such.
    """
    digests = [each.digest for known in problem.policy.models if known.name == model for each in known.variants]
    return [
        [
            (said.from_s, said.until_s)
            for said in problem.provenances
            if digest
            and said.digest == digest
            and datum in said.removes
            and (not removal.verifiers or said.signer in removal.verifiers)
        ]
        for digest in digests or [""]
    ]
