"""A Kubernetes cluster: what its API server is asked and told."""
