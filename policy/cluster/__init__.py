"""Policy from the custom resources of a Kubernetes cluster."""
