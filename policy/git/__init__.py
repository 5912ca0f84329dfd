"""A folder of a branch or a tag of a git repository as the place where policy comes from."""
