"""The demo: six things that happen to a fleet, each with what must be seen and what was."""
