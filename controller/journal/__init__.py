"""What was decided, from what, and what came of it: an SQLite file that only grows at its end and can be verified."""
