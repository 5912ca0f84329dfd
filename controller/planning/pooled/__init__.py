"""The form over whole pools: a relaxation small enough to ask many questions of a large fleet."""
