r"""Regular expressions of how quantities are written, for editors and API servers, which know no other judge of text.

They use only what ECMA 262 with its flag `u`, RE2 and Python read alike: no look-around, no escape that is not needed.
A pattern holds form, sign, unit and the largest value. It holds also that the value is whole in the inner unit, where
the unit is a power of ten of it; elsewhere (a third of a `req/h`, the 1024th part of a MiB) more decimals match than
`policy/units.py` reads.
"""

from fractions import Fraction
from typing import Final

from policy.units import DECIMAL_DIGITS, WHOLE_DIGITS, Quantity

ZERO: Final = r"^[^0-9]*0+(?:\.0+)?[^0-9.]*$"
"""Nothing of any quantity."""
VERSION: Final = r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,5}"
INSTANT: Final = (
    r"^[0-9]{4}-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9](?:\.[0-9]{1,6})?(?:Z|[+-][0-9][0-9]:[0-9][0-9])$"
)
_ANY_DECIMALS: Final = rf"(?:\.[0-9]{{1,{DECIMAL_DIGITS}}})?"
_NO_DECIMALS: Final = rf"(?:\.0{{1,{DECIMAL_DIGITS}}})?"


def quantity_pattern(quantity: Quantity) -> str:
    """What the text of a quantity matches from its beginning to its end."""
    ways = (
        rf"(?:{_number(Fraction(quantity.most), factor)}) ?{_escaped(suffix)}"
        for suffix, factor in quantity.units.items()
    )
    return rf"^{_escaped(quantity.prefix)}(?:{'|'.join(ways)})$"


def _number(most: Fraction, factor: Fraction) -> str:
    """The numbers that, times the factor, come to no more than `most`.

    In each unit the largest value is whole, or the last one before a whole one.
    """
    power = _power_of_ten(factor)
    if power is not None and power < 0:
        multiples = f"(?:{_up_to(int(most), WHOLE_DIGITS + power)})0{{{-power}}}"
        return f"(?:{multiples}|0{{1,{WHOLE_DIGITS}}}){_NO_DECIMALS}"
    limit, step = most / factor, Fraction(1, 10 ** (DECIMAL_DIGITS if power is None else power))
    whole = int(limit)
    if limit + step == whole + 1:
        return f"(?:{_up_to(whole)}){_decimals(power)}"
    zeros = WHOLE_DIGITS - len(str(whole))
    return f"(?:{_up_to(whole - 1)}){_decimals(power)}|0{{0,{zeros}}}{whole}{_NO_DECIMALS}"


def _power_of_ten(factor: Fraction) -> int | None:
    """The power, None where the factor is none."""
    for power in range(-DECIMAL_DIGITS, WHOLE_DIGITS):
        if factor == Fraction(10) ** power:
            return power
    return None


def _decimals(most: int | None) -> str:
    """A point and digits of which at most so many are not zero at the end."""
    if most is None or most >= DECIMAL_DIGITS:
        return _ANY_DECIMALS
    return _NO_DECIMALS if most == 0 else rf"(?:\.[0-9]{{1,{most}}}0{{0,{DECIMAL_DIGITS - most}}})?"


def _up_to(most: int, digits: int = WHOLE_DIGITS) -> str:
    """The whole numbers from zero to `most`, with leading zeros up to so many digits."""
    text = str(most)
    size = len(text)
    if text == "9" * size:
        return rf"0{{0,{digits - size}}}[0-9]{{1,{size}}}"
    smaller = (f"{text[:at]}[0-{int(each) - 1}]{_any(size - at - 1)}" for at, each in enumerate(text) if each != "0")
    as_long = rf"0{{0,{digits - size}}}(?:{'|'.join([*smaller, text])})"
    return as_long if size == 1 else rf"0{{0,{digits - size + 1}}}[0-9]{{1,{size - 1}}}|{as_long}"


def _any(digits: int) -> str:
    return f"[0-9]{{{digits}}}" if digits else ""


def _escaped(text: str) -> str:
    return text.replace("$", r"\$")
