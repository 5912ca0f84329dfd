"""Documents that say what a policy is put together from."""

from policy.composition import Environment, Include, Variable, Variables
from policy.documents.environment import EnvironmentSpec
from policy.documents.include import IncludeSpec
from policy.documents.variables import VariablesSpec
from policy.validate import Valid


def include(valid: Valid, spec: IncludeSpec) -> Include:
    """The bundle that is named, and by which digest."""
    return Include(spec.bundle, spec.digest, valid.place("bundle"), valid.place("digest"))


def variables(valid: Valid, spec: VariablesSpec) -> Variables:
    """The variables, each value with its own place."""
    found = (
        Variable(
            name,
            tuple((each, value, valid.place("values", name, each)) for each, value in values.items()),
            valid.source.key_place("spec", "values", name),
        )
        for name, values in spec.values.items()
    )
    return Variables(valid.name, tuple(found), valid.place())


def environment(valid: Valid, _: EnvironmentSpec) -> Environment:
    """The environment that is chosen."""
    return Environment(valid.name, valid.place())
