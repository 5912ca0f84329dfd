"""How values are written, told in the keywords of JSON Schema beside the validator that reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from policy.patterns import ZERO, quantity_pattern
from policy.units import Quantity, expected


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """The keywords of a value, and those that bar zero as well. It validates nothing itself."""

    keywords: Mapping[str, Any]
    no_zero: Mapping[str, Any] = field(default_factory=dict)

    def above_zero(self) -> "Written":
        """The same where zero is refused."""
        return Written({**self.keywords, **self.no_zero})


def pattern(expression: str, told: str, **more: Any) -> Written:
    """A text that matches, and what an editor says of one that does not."""
    return Written({"type": "string", "pattern": expression, "patternErrorMessage": f"expected {told}", **more})


def quantity(read: Quantity) -> Written:
    """A text with its unit; a number, too, where none is needed."""
    keywords = {"pattern": quantity_pattern(read), "patternErrorMessage": f"expected {expected(read)}"}
    if "" not in read.units or read.prefix:
        return Written({"type": "string", **keywords}, {"not": {"pattern": ZERO}})
    most = Fraction(read.most) / read.units[""]
    bounds = {"minimum": 0, "maximum": int(most) if most.denominator == 1 else float(most)}
    # `maximum` says nothing of a text, and `pattern` nothing of a number: together they are zero, however written.
    return Written({"type": ["string", "number"], **keywords, **bounds}, {"not": {"pattern": ZERO, "maximum": 0}})
