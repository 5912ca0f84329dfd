"""Policy as custom resources: followed, and told what became of it."""
