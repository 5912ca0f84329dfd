"""Predicting latency: service time, queueing, the tail along a path, and how wrong the predictions were."""
