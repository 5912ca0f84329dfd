"""The windows and burn rates at which an error budget is worth telling somebody.

The table is that of "Alerting on SLOs" in The Site Reliability Workbook (Google, 2018, chapter 5, table 5-8): for a
budget of 30 days, 2 % of it gone in an hour and 5 % in six hours are for a page, 10 % in three days for a ticket. The
short window, a twelfth of the long one, has the alert end soon after the burning does. Other budgets scale the windows.
"""

from dataclasses import dataclass
from typing import Final

PAGE: Final = "page"
TICKET: Final = "ticket"
_TABLE: Final = ((720, 14.4, PAGE), (120, 6.0, PAGE), (10, 1.0, TICKET))
"""The part of the budget's window that the long window is, the burn rate, and for whom it is."""
_SHORT_PART: Final = 12
LEAST_S: Final = 60
"""A rate over less has too few scrapes in it, at the usual 15 s between them."""


@dataclass(frozen=True, slots=True)
class BurnRate:
    """The budget burns `factor` times as fast as it may, over both windows."""

    long_s: int
    short_s: int
    factor: float
    severity: str


def burn_rates(window_s: int, budget: float) -> tuple[BurnRate, ...]:
    """What to alert on for a budget, the part of all runs that may be slow in a window.

    Rows whose short window has too few scrapes are left out, and so are rates at which more than all runs were slow.
    Where none is left, the window itself is looked at.
    """
    rows = (
        BurnRate(window_s // part, window_s // part // _SHORT_PART, factor, severity)
        for part, factor, severity in _TABLE
    )
    fit = tuple(row for row in rows if row.short_s >= LEAST_S and row.factor * budget < 1)
    whole_s = max(window_s, LEAST_S)
    return fit or (BurnRate(whole_s, whole_s, 1.0, TICKET),)
