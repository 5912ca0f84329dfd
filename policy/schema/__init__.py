"""The policy language as other tools read it: JSON Schema for editors, custom resources for Kubernetes."""
