"""Kubernetes: what of a plan becomes objects of a cluster, and how they are written and watched."""
