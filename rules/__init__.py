"""Constraint families: each promise of the policy as something a solver keeps and a verifier measures."""
