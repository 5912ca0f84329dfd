"""Measuring a model on a running Triton: which point next, when to stop, and the profile that comes of it."""
