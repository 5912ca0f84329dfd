"""How many requests an instance answers."""


def capacity_milli_rps(batch_us: int, max_batch: int, load_permille: int) -> int:
    """Requests per 1000 s that keep one instance busy `load_permille` of the time when it serves full batches."""
    return max(1, max_batch * load_permille * 1_000_000 // batch_us)
