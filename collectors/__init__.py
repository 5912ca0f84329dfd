"""What is observed: each reading with its age and source, gathered into one snapshot."""
