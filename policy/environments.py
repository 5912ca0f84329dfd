"""Which environment is in force, and the values that variables have in it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from policy.catalogue import error, warning
from policy.composition import Environment, Variable, Variables
from policy.documents import API_VERSION
from policy.findings import Finding, Place
from policy.variables import Use, Value
from policy.words import shown, suggestion

OPTION: Final = "--environment"
"""The file that a document is in which the command line makes; no file of a folder is called so."""

MAX_ENVIRONMENTS: Final = 50


@dataclass(frozen=True, slots=True)
class InForce:
    """The values of the environment that is in force, which environments there are, and what is wrong with them."""

    values: Mapping[str, Value]
    known: tuple[str, ...]
    findings: tuple[Finding, ...]


def chosen(environment: str) -> list[tuple[str, str]]:
    """The choice as a document, so that whoever keeps a policy's documents keeps it, too; nothing for an empty name."""
    if not environment:
        return []
    name = json.dumps(environment)
    return [(OPTION, f"apiVersion: {API_VERSION}\nkind: Environment\nmetadata: {{name: {name}}}\nspec: {{}}\n")]


def in_force(declared: Iterable[object], used: Sequence[Use]) -> InForce:
    """The values by variable, as the items of documents declare and choose them."""
    items = list(declared)
    documents = [item for item in items if isinstance(item, Variables)]
    choice = next((item for item in items if isinstance(item, Environment)), None)
    variables = [variable for document in documents for variable in document.variables]
    known = sorted({name for variable in variables for name, _, _ in variable.values})
    found = [*_twice(variables), *_too_many(variables, known), *_choice(choice, known, used)]
    found += _missing(variables) if len(known) <= MAX_ENVIRONMENTS else ()
    values = {
        variable.name: Value(plain, place)
        for variable in variables
        for name, plain, place in variable.values
        if choice is not None and name == choice.name
    }
    found += _unknown(used, {variable.name for variable in variables})
    return InForce(values, tuple(known), tuple(found))


def unused(declared: Iterable[object], used: Iterable[Use]) -> Iterator[Finding]:
    """Variables that no document uses; judged only when every document could be read."""
    names = {use.variable for use in used}
    for item in declared:
        for variable in item.variables if isinstance(item, Variables) else ():
            if variable.name not in names:
                message = f"no document uses the variable `{variable.name}`"
                yield warning(
                    "GW0361", variable.place, message, f"use it as `{{var: {variable.name}}}`, or take it out"
                )


def _twice(variables: Iterable[Variable]) -> Iterator[Finding]:
    first: dict[str, Place] = {}
    for variable in variables:
        if first.setdefault(variable.name, variable.place) != variable.place:
            message = f"the variable `{variable.name}` is declared already, at {first[variable.name]}"
            yield error("GW0301", variable.place, message, "keep one of the two")


def _too_many(variables: Sequence[Variable], known: Sequence[str]) -> Iterator[Finding]:
    if len(known) > MAX_ENVIRONMENTS:
        message = f"variables have values for {len(known)} environments, over {MAX_ENVIRONMENTS}"
        yield error("GW0102", variables[0].place, message, "write values for those that a policy is meant for")


def _missing(variables: Sequence[Variable]) -> Iterator[Finding]:
    """Environments of which one variable has a value and another one has none."""
    first: dict[str, Variable] = {}
    for variable in variables:
        for name, _, _ in variable.values:
            first.setdefault(name, variable)
    for variable in variables:
        for name in sorted(first.keys() - {name for name, _, _ in variable.values}):
            other = first[name]
            message = f"`{variable.name}` has no value for {shown(name)}, which `{other.name}` has, at {other.place}"
            hint = "write one, or mend the word there: each variable has a value for every environment"
            yield error("GW0362", variable.place, message, hint)


def _choice(choice: Environment | None, known: Sequence[str], used: Sequence[Use]) -> Iterator[Finding]:
    if choice is None:
        if used and known:
            message = f"the value of `{used[0].variable}` depends on the environment, and none is chosen"
            yield error("GW0363", used[0].place, message, f"give {OPTION} with one of {', '.join(known)}")
    elif choice.name not in known:
        message = f"no variable has a value for the environment {shown(choice.name)}"
        yield error(
            "GW0364", choice.place, message, suggestion(choice.name, known, "choose none: no variable is declared")
        )


def _unknown(used: Iterable[Use], names: set[str]) -> Iterator[Finding]:
    hints: dict[str, str] = {}
    for use in used:
        if use.variable not in names:
            if use.variable not in hints:
                hints[use.variable] = suggestion(use.variable, names, "declare it in a document of kind Variables")
            yield error("GW0360", use.place, f"there is no variable {shown(use.variable)}", hints[use.variable])
