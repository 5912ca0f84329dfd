"""The time that a variant takes for one batch on a device."""

from policy.resolved import VariantProfile


def batch_us(profile: VariantProfile, batch: int) -> int:
    """Time in us to serve `batch` requests at once.

    Linear between the profiled batch sizes and, outside them, along the nearest pair; one profiled size alone scales
    with the batch.
    """
    points = profile.service_us
    if len(points) == 1:
        size, value = points[0]
        raw = value * batch / size
    else:
        above = next((i for i, (size, _) in enumerate(points) if size >= batch), len(points) - 1)
        (size_a, us_a), (size_b, us_b) = points[max(above, 1) - 1], points[max(above, 1)]
        raw = us_a + (us_b - us_a) * (batch - size_a) / (size_b - size_a)
    return max(1, round(raw))
