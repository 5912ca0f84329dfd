"""Tests of a policy: what happens to a fleet that is only thought of, and what must hold then."""
