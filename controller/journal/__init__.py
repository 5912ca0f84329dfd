"""What was decided, from what, and what came of it: a chain that only grows at its end and can be verified."""
