"""The time that a variant takes for one batch on a device, and how many requests an instance answers by it."""

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


def capacity_milli_rps(batch_us: int, max_batch: int, load_permille: int) -> int:
    """Requests per 1000 s that keep one instance busy `load_permille` of the time when it serves full batches."""
    return max(1, max_batch * load_permille * 1_000_000 // batch_us)
