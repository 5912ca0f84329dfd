"""Compliance as admission policies of Kubernetes: which pods of a service may be bound to which nodes."""
