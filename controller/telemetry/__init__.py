"""Gridwright itself observed: a span for each phase of a turn, and Prometheus metrics."""
