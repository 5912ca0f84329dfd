"""Triton servers as objects of a cluster: wanted, standing, applied, reached and removed."""
