"""Predicting from tables of closed-loop measurements: further concurrencies, other batch sizes, devices never seen."""
