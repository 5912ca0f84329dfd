"""How bursty arrivals were, as `collectors/dispersion.py` estimates it; without numpy, which few who read it need."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Burstiness:
    """The estimates over `span_s`; None where there is too little to tell."""

    span_s: float
    rate_rps: float
    dispersion: tuple[tuple[float, float | None], ...]
    """(window in s, IDC of it), in the order asked for."""
    gap_variation: float | None
    """Squared coefficient of variation of the times between arrivals."""
    gap_correlation: float | None
    """Their autocorrelation at lag 1; None as well when all gaps are equal."""
