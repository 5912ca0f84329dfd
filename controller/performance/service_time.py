"""The time that a variant takes for one batch on a device, and how many requests an instance answers by it."""

from policy.resolved import VariantProfile

Points = tuple[tuple[int, int], ...]
"""(batch size, time in us), by rising batch size."""


def batch_us(profile: VariantProfile, batch: int) -> int:
    """Time in us to serve `batch` requests at once."""
    return max(1, round(_between(profile.service_us, batch)))


def first_part(profile: VariantProfile, batch: int) -> float:
    """The part of the time for `batch` requests after which their first responses leave, above 0 and at most 1."""
    whole_us = batch_us(profile, batch)
    return min(whole_us, max(1.0, _between(profile.first_us, batch))) / whole_us if profile.first_us else 1.0


def _between(points: Points, batch: int) -> float:
    """The time for a batch in us.

    Linear between the profiled batch sizes and, outside them, along the nearest pair; one profiled size alone scales
    with the batch.
    """
    if len(points) == 1:
        size, value = points[0]
        return value * batch / size
    above = next((i for i, (size, _) in enumerate(points) if size >= batch), len(points) - 1)
    (size_a, us_a), (size_b, us_b) = points[max(above, 1) - 1], points[max(above, 1)]
    return us_a + (us_b - us_a) * (batch - size_a) / (size_b - size_a)


def capacity_milli_rps(batch_us: int, max_batch: int, load_permille: int) -> int:
    """Requests per 1000 s that keep one instance busy `load_permille` of the time when it serves full batches."""
    return max(1, max_batch * load_permille * 1_000_000 // batch_us)
