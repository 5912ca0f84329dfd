"""The HTTP API: health, metrics, and the loop's snapshot, plan, decisions and what-if. One router a file."""
