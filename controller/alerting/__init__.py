"""Error budgets of latency objectives, as rules that Prometheus evaluates."""
