"""What a policy is put together from: bundles, variables and the environment that is in force."""

from dataclasses import dataclass
from decimal import Decimal

from policy.findings import Place


@dataclass(frozen=True, slots=True)
class Include:
    """A bundle that is part of the policy as long as its digest (`sha256:` and 64 digits) is this one."""

    bundle: str
    digest: str
    place: Place
    digest_place: Place


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable's values: in each environment a text or a number, and where that stands."""

    name: str
    values: tuple[tuple[str, str | int | Decimal, Place], ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables that one document declares."""

    name: str
    variables: tuple[Variable, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment that is in force."""

    name: str
    place: Place
