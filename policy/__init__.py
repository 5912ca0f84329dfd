"""The declarative policy layer: documents in, one resolved `Policy` and findings out."""
